// Every bound of the engine. A bound reached is a clear error that names it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vz::limits {

// Collections and vectors
inline constexpr std::size_t kCollectionsMax = 1'000;
inline constexpr std::size_t kAliasesMax = 10'000;
inline constexpr std::size_t kNameBytesMax = 255;
inline constexpr std::size_t kVectorNameBytesMax = 200;
inline constexpr std::size_t kVectorNamesMax = 64;
inline constexpr std::uint32_t kDimensionMax = 65'536;
inline constexpr std::uint32_t kHnswMMax = 256;
inline constexpr std::uint32_t kEfConstructMax = 4'096;
inline constexpr std::size_t kMetadataBytesMax = 64u << 10;

// Requests
inline constexpr std::size_t kBodyBytesMax = 32u << 20;
inline constexpr std::size_t kUriBytesMax = 8u << 10;
inline constexpr std::size_t kHeaderBytesMax = 16u << 10;
inline constexpr std::size_t kHeadersMax = 100;
inline constexpr std::size_t kConnectionsMax = 1'024;
/// Read whole, and not begun yet. As many as there are connections: refusing a search costs nearly
/// what answering it does, so a smaller bound would spend the cores on refusals.
inline constexpr std::size_t kRequestsWaitingMax = kConnectionsMax;
inline constexpr std::size_t kPointsPerWriteMax = 100'000;
inline constexpr std::size_t kIdsPerReadMax = 100'000;
inline constexpr std::size_t kBatchSearchesMax = 1'000;
inline constexpr std::size_t kLimitMax = 10'000;  ///< k of a search, page of a scroll
inline constexpr std::size_t kOffsetMax = 100'000;
inline constexpr std::size_t kEfSearchMax = 4'096;

// Uploads of snapshots
inline constexpr std::uint64_t kUploadBytesMax = 1ull
                                                 << 40;  ///< of a body that is not held in memory
inline constexpr std::size_t kUploadsMax = 4;  ///< that arrive or are put in force at once
inline constexpr std::uint64_t kUploadDiskLookBytes = 8u
                                                      << 20;  ///< written between looks at the disk
inline constexpr std::size_t kMultipartBoundaryBytesMax = 70;      ///< RFC 2046, section 5.1.1
inline constexpr std::size_t kMultipartHeaderBytesMax = 4u << 10;  ///< of a part, all its fields

// Numbers
inline constexpr std::size_t kMetricCollectionsMax = 100;  ///< with a label of their own; more are
                                                           ///< counted together as "other"

// JSON
inline constexpr std::size_t kJsonDepthMax = 64;
inline constexpr std::size_t kFilterDepthMax = 64;
inline constexpr std::size_t kFilterConditionsMax = 10'000;  ///< conditions and values in all
inline constexpr std::size_t kPayloadBytesMax = 16u << 20;
inline constexpr std::size_t kKeyPathBytesMax = 512;
inline constexpr std::size_t kFieldsPerSegmentMax = 64;  ///< columns made without a declaration
inline constexpr std::size_t kDeclaredFieldsMax = 256;

// Log and segments
inline constexpr std::size_t kRecordBytesMax = 64u << 20;
inline constexpr std::size_t kGroupBytesMax = 8u << 20;  ///< a group closes when it passes this
inline constexpr std::size_t kWriteQueueMax = 4'096;     ///< requests waiting for the writer
inline constexpr std::size_t kWriteQueueBytesMax = 256u << 20;
inline constexpr std::size_t kSegmentsPerCollectionMax = 64;
inline constexpr std::uint32_t kSegmentRowsMax = 1u << 28;

// Audit log
inline constexpr std::size_t kAuditTextBytesMax = 512;         ///< of each text of an event
inline constexpr std::uint64_t kAuditFileBytesMax = 8u << 20;  ///< then the next file begins
inline constexpr std::size_t kAuditFilesMax = 32;              ///< the oldest goes
inline constexpr std::size_t kAuditProblemsMax = 100;          ///< that a verdict lists
inline constexpr std::size_t kAuditPageMax = 10'000;           ///< lines of one answer

inline constexpr std::size_t kAuditQueueMax = 4'096;  ///< events that wait to be written
inline constexpr std::size_t kAuditRefusalsMax = 64;  ///< callers whose refusals are told apart

// Jobs and run-time settings
inline constexpr std::size_t kJobsRunningMax = 16;
inline constexpr std::size_t kJobsKeptMax = 1'000;  ///< of those that ended
inline constexpr std::size_t kJobFileBytesMax = 2u << 20;
inline constexpr std::size_t kJobResultBytesMax = 1u << 20;
inline constexpr std::size_t kJobTextBytesMax = 4u << 10;  ///< an object's name, an error's message
inline constexpr std::size_t kSettingsBytesMax = 64u << 10;

// Keys and rules about addresses
inline constexpr std::size_t kApiKeysMax = 1'000;  ///< that are not revoked
/// With those that were: their ids stay for good. A revocation turns the one into the other, so it
/// always has room.
inline constexpr std::size_t kKeyIdsMax = 20'000;
inline constexpr std::size_t kKeyNameBytesMax = 128;
inline constexpr std::size_t kKeyGlobsMax = 64;
inline constexpr std::size_t kKeyGlobBytesMax = 2'048;  ///< of all patterns of a key
inline constexpr std::size_t kKeyCidrsMax = 64;
inline constexpr std::int64_t kKeyOverlapSecondsMax = 30 * 86'400;
inline constexpr std::size_t kIpRulesMax = 10'000;
inline constexpr std::size_t kIpsPerRequestMax = 1'000;
inline constexpr std::size_t kIpReasonBytesMax = 256;
inline constexpr std::int64_t kIpTtlSecondsMax = 10ll * 366 * 86'400;
inline constexpr std::size_t kSecurityFileBytesMax = 64u << 20;
inline constexpr std::size_t kSecurityRecordBytesMax = 4u << 20;
inline constexpr std::size_t kTrustedProxiesMax = 64;
inline constexpr std::size_t kForwardedAddressesMax = 32;  ///< looked at, of one request

// Slow queries and the cache of answers
inline constexpr std::int64_t kSlowQueryThresholdMsMax = 3'600'000;
inline constexpr std::size_t kSlowQueriesKept = 256;  ///< newest ones; and what one answer lists
inline constexpr std::int64_t kQueryCacheMbMax = 65'536;

// Integrity check of a running node
inline constexpr std::uint64_t kCheckRateMbDefault = 64;  ///< read so many 10^6 bytes a second
inline constexpr std::uint64_t kCheckRateMbMax = 100'000;
inline constexpr std::size_t kCheckFindingsMax = 1'000;    ///< told; more are counted
inline constexpr std::size_t kCheckMessageBytesMax = 512;  ///< of one of them

}  // namespace vz::limits
