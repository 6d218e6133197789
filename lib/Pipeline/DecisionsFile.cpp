// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DecisionsFile.h"

#include "Fingerprint.h"
#include "PendingFiles.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace lathe;

/// Of the form of files.
static constexpr int64_t version = 1;

Error DecisionsFile::read() {
  auto fail = [&](const Twine &what) {
    return createStringError("cannot read decisions from '" + path +
                             "': " + what);
  };
  std::unique_ptr<MemoryBuffer> text = readFile(path);
  if (!text)
    return fail("no such file");
  Expected<json::Value> value = json::parse(text->getBuffer());
  if (!value)
    return fail(toString(value.takeError()));
  const json::Object *file = value->getAsObject();
  if (!file || file->getInteger("version") != version)
    return fail("expected version " + Twine(version));
  const json::Object *list = file->getObject("kernels");
  if (!list)
    return fail("expected kernels");
  for (const auto &[key, value] : *list) {
    const json::Object *entry = value.getAsObject();
    auto decisions = entry ? entry->getString("decisions") : std::nullopt;
    if (!decisions)
      return fail("expected decisions about kernel " + key.str());
    DecidedKernel kernel;
    kernel.decisions = decisions->str();
    kernel.nodes = entry->getString("nodes").value_or("").str();
    kernel.seal = entry->getString("seal").value_or("").str();
    kernel.before = 1e-6 * entry->getNumber("model_us").value_or(0);
    kernel.after = 1e-6 * entry->getNumber("tuned_us").value_or(0);
    kernels[key.str()] = std::move(kernel);
  }
  return Error::success();
}

const DecidedKernel *DecisionsFile::find(StringRef key) const {
  auto found = kernels.find(key);
  return found == kernels.end() ? nullptr : &found->second;
}

void DecisionsFile::add(StringRef key, DecidedKernel kernel) {
  kernels[key] = std::move(kernel);
  hasNew = true;
}

Error DecisionsFile::write() {
  if (!hasNew)
    return Error::success();
  // What another compilation has added meanwhile.
  DecisionsFile now(path);
  consumeError(now.read());
  for (auto &entry : now.kernels)
    kernels.try_emplace(entry.getKey(), std::move(entry.second));
  json::Object list;
  auto round = [](double seconds) { return std::round(seconds * 1e9) / 1e3; };
  for (const auto &entry : kernels) {
    const DecidedKernel &kernel = entry.second;
    list[entry.getKey()] = json::Object{{"decisions", kernel.decisions},
                                        {"nodes", json::fixUTF8(kernel.nodes)},
                                        {"model_us", round(kernel.before)},
                                        {"tuned_us", round(kernel.after)},
                                        {"seal", kernel.seal}};
  }
  json::Value file =
      json::Object{{"version", version}, {"kernels", std::move(list)}};
  StringRef folder = sys::path::parent_path(path);
  if (!folder.empty())
    if (std::error_code code = sys::fs::create_directories(
            folder, /*IgnoreExisting=*/true, sys::fs::owner_all))
      return createStringError(code, "cannot make the folder '" + folder +
                                         "': " + code.message());
  PendingFiles pending;
  if (Error error = pending.write(path, [&](raw_ostream &os) {
        os << formatv("{0:2}\n", file);
        return Error::success();
      }))
    return error;
  return pending.commit();
}
