#include "tests/runbook/stage.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/runbook/document.h"
#include "tools/drive/answer.h"
#include "tools/drive/collection_api.h"
#include "tools/drive/node_api.h"

namespace vz::runbook {
namespace {

constexpr long kTimeoutMs = 60'000;

/// What the commands call, in place of a cluster's.
constexpr const char* kKubectl = R"sh(#!/bin/bash
verb=$1; shift
case $verb in
  exec) while [ "$1" != -- ]; do shift; done; shift; exec "$@" ;;
  logs) exec cat "$VZ_STAGE/node.log" ;;
  get) echo pod/vectorizer-0 ;;
  cp) [ "$1" -ef "${2#*:}/$(basename "$1")" ] || exec cp "$1" "${2#*:}" ;;
  *) echo "kubectl $verb: not on this stage" >&2; exit 1 ;;
esac
)sh";

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

std::vector<float> draw(unsigned seed, std::size_t rows) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(rows * kDimension);
  for (float& value : values) value = normal(random);
  return values;
}

}  // namespace

Stage::Stage(std::vector<std::string> arguments) : port_(drive::free_port()) {
  directory_ = (std::filesystem::temp_directory_path() / "vz-runbook-XXXXXX").string();
  REQUIRE(::mkdtemp(directory_.data()) != nullptr);
  for (const char* const folder : {"bin", "data", "tmp"})
    std::filesystem::create_directory(file(folder));
  std::ofstream(file("bin/kubectl")) << kKubectl;
  std::filesystem::permissions(file("bin/kubectl"), std::filesystem::perms::owner_all);
  node_ = std::make_unique<drive::ServerProcess>(
      drive::ServerOptions{.binary = VZ_BINARY,
                           .data_dir = file("data"),
                           .log_file = file("node.log"),
                           .port = port_,
                           .arguments = std::move(arguments)});
  http_ = std::make_unique<drive::HttpClient>(node_->base_url(), kTimeoutMs);
  REQUIRE(node_->start());
  REQUIRE(node_->wait_ready(kTimeoutMs));
  unsigned seed = 1;
  for (const char* const name : kCollections) {
    REQUIRE(drive::create_collection(*http_, name, kDimension, "Cosine"));
    upsert(name, 0, kPoints, seed++);
  }
}

Stage::~Stage() {
  node_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string Stage::localized(std::string text) const {
  const std::string here = "localhost:" + std::to_string(port_);
  for (const char* const host :
       {"localhost:15002", "vectorizer-0.vectorizer:15002", "load-balancer:15002"})
    replace_all(text, host, here);
  replace_all(text, "/tmp/", file("tmp/"));
  replace_all(text, " /data", " " + file("data"));
  for (const auto& [written, real] : stand_ins_) replace_all(text, written, real);
  return text;
}

Ran Stage::run(std::string_view line) {
  const std::string command = command_with(line);
  INFO("the document has no command, or several, with '" << line << "'");
  REQUIRE_FALSE(command.empty());
  return shell(command);
}

void Stage::stand_for(const std::string& written, const std::string& real) {
  stand_ins_.emplace_back(written, real);
}

Ran Stage::shell(const std::string& command) {
  const std::string script = localized(command);
  std::ofstream(file("command.sh")) << script << '\n';
  // No path of the stage is expanded by the operator's shell: its /data is not the pod's.
  const std::string shell = "cd " + file("tmp") + " && VZ_STAGE=" + directory_ +
                            " PATH=" + file("bin") + ":$PATH bash -f -o pipefail " +
                            file("command.sh") + " >" + file("out") + " 2>" + file("err");
  const int status = std::system(shell.c_str());
  Ran ran{.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .output = read_text(file("out")),
          .talk = read_text(file("err"))};
  UNSCOPED_INFO(script << "\n-> " << ran.status << "\n" << ran.output << ran.talk);
  return ran;
}

nlohmann::json Stage::json(std::string_view line) {
  const Ran ran = run(line);
  REQUIRE(ran.status == 0);
  auto parsed = nlohmann::json::parse(ran.output, nullptr, false);
  REQUIRE_FALSE(parsed.is_discarded());
  return parsed;
}

nlohmann::json Stage::ask(std::string_view method, const std::string& path,
                          const std::string& body) {
  const auto answer = http_->request(method, path, body);
  REQUIRE(answer);
  INFO(method << ' ' << path << " -> " << answer->status << ' ' << answer->body);
  REQUIRE((answer->status == 200 || answer->status == 202));
  return nlohmann::json::parse(answer->body);
}

nlohmann::json Stage::collection(const std::string& name) {
  const auto stats = ask("GET", "/stats");
  for (const auto& entry : stats.at("collections"))
    if (entry.at("name") == name) return entry;
  return {};
}

nlohmann::json Stage::finished(const nlohmann::json& started) {
  INFO("started: " << started.dump());
  REQUIRE(started.contains("job_id"));
  const std::string path = "/admin/jobs/" + started.at("job_id").get<std::string>();
  for (int i = 0; i < 6'000; ++i) {
    auto job = ask("GET", path);
    if (job.at("status") != "running" && job.at("status") != "queued") return job;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  FAIL("the job does not end");
  return {};
}

void Stage::restart() {
  REQUIRE(node_->stop(kTimeoutMs));
  REQUIRE(node_->start());
  REQUIRE(node_->wait_ready(kTimeoutMs));
}

void Stage::upsert(const std::string& name, std::size_t first, std::size_t count, unsigned seed) {
  const std::vector<std::string> payloads(count, R"({"kind":"runbook"})");
  const auto values = draw(seed, count);
  REQUIRE(drive::upsert(*http_, name, drive::upsert_body(values, kDimension, payloads, first)));
}

void Stage::search(const std::string& name, unsigned seed) {
  const auto body = drive::search_body(draw(seed, 1), "", 10, drive::Accuracy::kDefault);
  static_cast<void>(ask("POST", drive::collection_path(name) + "/points/query", body));
}

}  // namespace vz::runbook
