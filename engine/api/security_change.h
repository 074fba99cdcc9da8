// How a route changes keys or rules about addresses.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/api/call.h"
#include "engine/security/request.h"

namespace vz::api {

struct ChangeAnswer {
  int status = 200;
  std::string json;
};

/// Changes them and closes the connections that are let in no more, but the caller's own, which is
/// decided anew with its next request. Then answers what `make_answer` makes of the state after it.
/// Answers at once what it takes from `call`'s thread; the rest happens on another.
void change_security(
    std::shared_ptr<Call> call, security::Request request,
    std::function<ChangeAnswer(const security::State& state, bool changed)> make_answer);

}  // namespace vz::api
