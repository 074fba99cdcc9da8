#include "engine/api/restore_json.h"

#include "engine/api/json_text.h"

namespace vz::api {

void append_restore_status(std::string& out, const node::RestoreStatus& status) {
  out += "{\"files\":";
  append_number(out, status.files);
  out += ",\"files_present\":";
  append_number(out, status.files_present);
  out += ",\"detail\":";
  append_string(out, status.detail);
  out += '}';
}

}  // namespace vz::api
