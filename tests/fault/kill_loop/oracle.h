// The driver's own memory, on disk: what each client was told, so that the driver may die too.
//
//   DIR/checkpoint.json        every client's acknowledged state when cycle N began
//   DIR/<N>-<client>.log       since then, a line each: "begin OPERATION", "ack LSN"
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "tests/fault/kill_loop/compare.h"

namespace vz::kill_loop {

/// One client's side. Not thread-safe: it belongs to the client's thread.
class ClientOracle {
 public:
  ClientState state;

  /// Starts a new log. Errors: kIoError.
  Status open_log(const std::string& path);
  /// Before the request is sent. Errors: kIoError; nothing may be sent then.
  Status begin(const Operation& operation);
  /// After the answer came. Errors: kIoError, kInternal (the lsn went back).
  Status acknowledge(Lsn lsn);
  /// Applies a log of a driver that died. A last line that was cut short is left out.
  void replay_log(const std::string& path);

 private:
  Status write_line(const std::string& line);

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> log_;
};

/// Owns the clients' oracles. Used between cycles, when no client runs.
class Oracle {
 public:
  /// Creates `dir`, or takes up what an earlier driver left there.
  /// Errors: kIoError, kInvalidArgument (another number of clients).
  static Result<Oracle> open(const std::string& dir, int clients);

  /// Makes the present state the start of the next cycle. No operation may be in flight.
  Status checkpoint();

  std::vector<ClientOracle>& clients() { return clients_; }

 private:
  std::string dir_;
  std::uint64_t cycle_ = 0;
  std::vector<ClientOracle> clients_;

  [[nodiscard]] std::string log_path(std::uint64_t cycle, std::size_t client) const;
  Status load(const std::string& text);
};

}  // namespace vz::kill_loop
