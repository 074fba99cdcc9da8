#include "tests/fault/kill_loop/oracle.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "storage/base/status.h"

namespace vz::kill_loop {
namespace {

using nlohmann::json;

constexpr std::string_view kBegin = "begin ";
constexpr std::string_view kAck = "ack ";

std::string checkpoint_path(const std::string& dir) {
  return dir + "/checkpoint.json";
}

}  // namespace

Status ClientOracle::open_log(const std::string& path) {
  log_.reset(std::fopen(path.c_str(), "w"));
  if (!log_) return fail(ErrorCode::kIoError, path + ": " + std::strerror(errno));
  return {};
}

Status ClientOracle::write_line(const std::string& line) {
  const std::string whole = line + "\n";
  if (std::fwrite(whole.data(), 1, whole.size(), log_.get()) != whole.size() ||
      std::fflush(log_.get()) != 0) {
    return fail(ErrorCode::kIoError, std::string("the oracle's log: ") + std::strerror(errno));
  }
  return {};
}

Status ClientOracle::begin(const Operation& operation) {
  VZ_TRY(write_line(std::string(kBegin) + to_line(operation)));
  state.in_flight = operation;
  return {};
}

Status ClientOracle::acknowledge(Lsn lsn) {
  VZ_TRY(write_line(std::string(kAck) + std::to_string(lsn)));
  const Operation operation = *std::exchange(state.in_flight, std::nullopt);
  apply(operation, lsn, state.acknowledged);
  if (lsn == 0) return {};  // Nothing to log, or an answer without an lsn.
  if (lsn < state.last_lsn) {
    return fail(ErrorCode::kInternal, "operation_id went from " + std::to_string(state.last_lsn) +
                                          " to " + std::to_string(lsn) + " at " +
                                          to_line(operation));
  }
  state.last_lsn = lsn;
  return {};
}

void ClientOracle::replay_log(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line) && !file.eof()) {
    if (line.starts_with(kBegin)) {
      state.in_flight = operation_from_line(std::string_view(line).substr(kBegin.size()));
    } else if (line.starts_with(kAck) && state.in_flight) {
      const Lsn lsn = std::strtoull(line.c_str() + kAck.size(), nullptr, 10);
      apply(*state.in_flight, lsn, state.acknowledged);
      state.last_lsn = std::max(state.last_lsn, lsn);
      state.in_flight.reset();
    }
  }
}

std::string Oracle::log_path(std::uint64_t cycle, std::size_t client) const {
  return dir_ + "/" + std::to_string(cycle) + "-" + std::to_string(client) + ".log";
}

Status Oracle::load(const std::string& text) {
  const json object = json::parse(text);
  cycle_ = object.at("cycle").get<std::uint64_t>();
  const json& clients = object.at("clients");
  if (clients.size() != clients_.size()) {
    return fail(ErrorCode::kInvalidArgument, dir_ + ": was made by " +
                                                 std::to_string(clients.size()) + " clients, not " +
                                                 std::to_string(clients_.size()));
  }
  for (std::size_t index = 0; index < clients_.size(); ++index) {
    ClientState& state = clients_[index].state;
    state.acknowledged =
        collections_from_json(clients[index].at("acknowledged").get<std::string>());
    state.last_lsn = clients[index].at("last_lsn").get<Lsn>();
    clients_[index].replay_log(log_path(cycle_, index));
  }
  return {};
}

Result<Oracle> Oracle::open(const std::string& dir, int clients) {
  Oracle oracle;
  oracle.dir_ = dir;
  oracle.clients_.resize(static_cast<std::size_t>(clients));
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) return fail(ErrorCode::kIoError, dir + ": " + error.message());
  if (std::ifstream file(checkpoint_path(dir)); file) {
    std::stringstream text;
    text << file.rdbuf();
    VZ_TRY(oracle.load(text.str()));
  }
  return oracle;
}

Status Oracle::checkpoint() {
  json clients = json::array();
  for (const auto& client : clients_) {
    VZ_ASSERT(!client.state.in_flight);
    clients.push_back({{"acknowledged", to_json(client.state.acknowledged)},
                       {"last_lsn", client.state.last_lsn}});
  }
  const std::uint64_t next = cycle_ + 1;
  for (std::size_t index = 0; index < clients_.size(); ++index) {
    VZ_TRY(clients_[index].open_log(log_path(next, index)));
  }
  const std::string temporary = checkpoint_path(dir_) + ".tmp";
  std::ofstream file(temporary);
  file << json{{"cycle", next}, {"clients", clients}}.dump();
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(temporary, checkpoint_path(dir_), error);
  if (!file || error) return fail(ErrorCode::kIoError, temporary + ": could not be written");
  for (std::size_t index = 0; index < clients_.size(); ++index) {
    std::filesystem::remove(log_path(cycle_, index), error);
  }
  cycle_ = next;
  return {};
}

}  // namespace vz::kill_loop
