// What a route is. The table is in routes.cpp; the guard, the 405s, GET /openapi.json and the tests
// are all made from it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/api/status_map.h"
#include "engine/net/request.h"
#include "engine/security/scope.h"

namespace vz::api {

class Call;
struct Route;
struct Service;
/// Answers the call, at once or later from another thread. Must not block for long.
using Handler = void (*)(std::shared_ptr<Call>);
/// Makes what takes the body of a request while it arrives. Does nothing yet that could wait.
/// Errors: the head alone says that the request cannot be served.
using Receiver = Result<std::shared_ptr<net::BodySink>> (*)(
    Service& service, const Route& route, const net::RequestHead& head,
    std::optional<std::uint64_t> length_bytes);

using security::Scope;
using security::scope_name;

/// Where a pattern is found.
enum class Mount : std::uint8_t {
  kRoot,    ///< at / of the main listener
  kQdrant,  ///< under /qdrant of the main listener, and at / of the Qdrant listener
  kBoth,
};

/// What a key that is for some collections only may do with a route.
enum class Reach : std::uint8_t {
  kNode,        ///< nothing: it is about the node as a whole
  kCollection,  ///< the first part in braces names the collection, which must be one of them
  kListing,     ///< its answer leaves out the others
};

/// Whether a route can answer while the node is still recovering.
enum class Needs : std::uint8_t { kNothing, kNode };

/// One row of the table. Nothing that a constructor takes has a default: a route that does not say
/// who may call it does not compile.
struct Route {
  constexpr Route(net::Method method_, std::string_view pattern_, Mount mount_, Scope scope_,
                  Envelope envelope_, Needs needs_, Handler handler_, std::string_view summary_)
      : method(method_),
        pattern(pattern_),
        mount(mount_),
        scope(scope_),
        envelope(envelope_),
        needs(needs_),
        handler(handler_),
        summary(summary_),
        reach(names_collection(pattern_) ? Reach::kCollection : Reach::kNode) {}
  /// A route whose body is not held in memory; its handler finds the sink in Call::sink().
  constexpr Route(net::Method method_, std::string_view pattern_, Mount mount_, Scope scope_,
                  Envelope envelope_, Needs needs_, Receiver receiver_, Handler handler_,
                  std::string_view summary_)
      : Route(method_, pattern_, mount_, scope_, envelope_, needs_, handler_, summary_) {
    receiver = receiver_;
  }
  /// The same, whose handler leaves out of its list what the caller's key is not for.
  [[nodiscard]] constexpr Route listing() const {
    Route same = *this;
    same.reach = Reach::kListing;
    return same;
  }

  net::Method method;
  std::string_view pattern;  ///< "/collections/{c}/points"; a part in braces takes one segment
  Mount mount;
  Scope scope;
  Envelope envelope;
  Needs needs;
  Handler handler;
  std::string_view summary;
  Reach reach;  ///< unless a row says otherwise the narrowest that its pattern allows
  Receiver receiver = nullptr;  ///< null: the body is held in memory

 private:
  static constexpr bool names_collection(std::string_view pattern) {
    return pattern.starts_with("/collections/{collection_name}");
  }
};

/// The whole table; of two patterns that fit, the earlier wins.
std::span<const Route> routes();

struct RouteMatch {
  const Route* route = nullptr;
  std::vector<std::string> arguments;  ///< of the parts in braces, in order
};
struct NoSuchPath {
  Envelope envelope = Envelope::kNative;
};
struct NoSuchMethod {
  Envelope envelope = Envelope::kNative;
  std::string allow;  ///< of the Allow header
};
using Match = std::variant<RouteMatch, NoSuchPath, NoSuchMethod>;

enum class ListenerKind : std::uint8_t { kMain, kQdrant };

/// Finds the route of a request. HEAD is answered as GET.
Match match_route(ListenerKind listener, net::Method method, std::span<const std::string> segments);

/// The OpenAPI 3 document of the table.
std::string openapi_json(std::string_view version);

}  // namespace vz::api
