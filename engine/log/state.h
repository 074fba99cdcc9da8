// The state that the log's records are folded into.
#pragma once

#include <map>
#include <memory>

#include "engine/collection/live_collection.h"
#include "engine/collection/visibility.h"
#include "engine/security/state.h"

namespace vz::log {

/// Owned by the writer thread (by recovery before that thread starts). Readers see it through
/// `visibility` and `published_security` only.
struct NodeState {
  std::shared_ptr<collection::Visibility> visibility = std::make_shared<collection::Visibility>();
  std::shared_ptr<const collection::Catalog> catalog =
      std::make_shared<const collection::Catalog>();  ///< with records that are not durable yet
  std::map<CollectionId, std::shared_ptr<collection::LiveCollection>> collections;
  /// Who may call; with records that are not durable yet, as the catalog. Readers see the published
  /// one.
  std::shared_ptr<const security::State> security = std::make_shared<const security::State>();
  std::shared_ptr<security::PublishedState> published_security = security::publish({});
  /// A record about keys or rules at or below it is in `security` as recovery began with it.
  Lsn security_lsn = 0;
  /// Recovery starts from these: a catalog record at or below catalog_lsn, and a points record at
  /// or below its collection's flushed lsn, is in the files already.
  Lsn catalog_lsn = 0;
  std::map<CollectionId, Lsn> flushed_lsn;
};

}  // namespace vz::log
