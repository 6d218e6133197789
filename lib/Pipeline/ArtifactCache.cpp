// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ArtifactCache.h"

#include "Fingerprint.h"
#include "PendingFiles.h"
#include "lathe/Import/ExternalData.h"
#include "lathe/Import/Import.h"
#include "lathe/Pipeline/Artifact.h"
#include "lathe/Pipeline/Compile.h"

#include "llvm/Support/CachePruning.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace lathe;
using importer::ExternalData;
using importer::MappedFile;

static StringRef asText(ArrayRef<char> bytes) {
  return StringRef(bytes.data(), bytes.size());
}

static void addContent(FieldHash &hash, StringRef path) {
  std::unique_ptr<MemoryBuffer> content = readFile(path);
  hash.add(content ? content->getBuffer() : StringRef("no file"));
}

/// All that decides about the artifact but the model's files.
static std::string describe(const CompileOptions &options,
                            ArtifactCache::Targets targets, StringRef prefix) {
  // A new option does not compile here until it is decided whether it belongs
  // to the key.
  const auto &[input, bytes, output, target, cpu, gpu, shapes, dims, states,
               fusion, layout, memoryPlan, precision, tune, tuneCache, tuneDims,
               decisions, name, weights, optLevel, jobs, timing, progress,
               printIRAfter, runtimeLibrary, explainFusion, onDiagnostic,
               onStage, intermediates, cache, cachePolicy] = options;
  FieldHash hash;
  hash.addCompiler().addHost();
  addContent(hash, getRuntimeLibrary(options));
  // Symbols in a shared library have the versions of this one's.
  hash.addStamp(findCLibrary());
  for (const TargetInterface *target : targets)
    hash.add(target->getIdentity());
  for (const auto &[name, shape] : shapes) {
    hash.add("shape").add(name);
    for (int64_t size : shape)
      hash.addNumber(size);
  }
  for (const auto &[name, size] : dims)
    hash.add("dim").add(name).addNumber(size);
  for (const std::string &state : states)
    hash.add("state").add(state);
  // What is measured is as good as what was measured before.
  if (tune)
    hash.add("tune").add(tuneCache);
  for (const auto &[name, size] : tuneDims)
    hash.add("tune-dim").add(name).addNumber(size);
  if (!decisions.empty())
    addContent(hash.add("decisions"), decisions);
  for (const std::string *text :
       {&target, &fusion, &layout, &memoryPlan, &precision, &weights})
    hash.add(*text);
  hash.addNumber(optLevel).addNumber(explainFusion).addNumber(intermediates);
  hash.add(prefix);
  hash.add(sys::path::extension(output)).add(sys::path::extension(input));
  return hash.finish();
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

ArtifactCache::ArtifactCache(const CompileOptions &options, Targets targets,
                             StringRef prefix)
    : options(options), circumstances(describe(options, targets, prefix)),
      modelKey(hashModel()) {}

std::optional<std::string> ArtifactCache::hashModel() const {
  FieldHash hash;
  hash.add(circumstances);
  if (!options.bytes.empty())
    return hash.add(asText(options.bytes)).finish();
  std::unique_ptr<MemoryBuffer> model = readFile(options.input);
  if (!model)
    return std::nullopt;
  return hash.add(model->getBuffer()).finish();
}

std::optional<std::string>
ArtifactCache::hashArtifact(ArrayRef<std::string> externalFiles) const {
  FieldHash hash;
  hash.add(*modelKey);
  ExternalData external(options.bytes.empty() ? getBaseDirectory(options.input)
                                              : "");
  for (const std::string &location : externalFiles) {
    std::string error;
    std::shared_ptr<MappedFile> file = external.open(location, error);
    if (!file)
      return std::nullopt;
    hash.add(location).add(asText(file->getBytes()));
  }
  return hash.finish();
}

std::string ArtifactCache::getPath(StringRef key, StringRef role) const {
  SmallString<128> path(options.cache);
  sys::path::append(path, "llvmcache-" + key + role);
  return path.str().str();
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

/// The list `name` that a file of JSON holds.
static std::optional<json::Array> readList(StringRef path, StringRef name) {
  std::unique_ptr<MemoryBuffer> text = readFile(path);
  if (!text)
    return std::nullopt;
  Expected<json::Value> value = json::parse(text->getBuffer());
  if (!value) {
    consumeError(value.takeError());
    return std::nullopt;
  }
  json::Object *object = value->getAsObject();
  json::Array *list = object ? object->getArray(name) : nullptr;
  return list ? std::make_optional(std::move(*list)) : std::nullopt;
}

std::optional<std::vector<ArtifactCache::File>> ArtifactCache::find() const {
  if (!modelKey)
    return std::nullopt;
  auto locations = readList(getPath(*modelKey), "external");
  if (!locations)
    return std::nullopt;
  std::vector<std::string> externalFiles;
  for (const json::Value &location : *locations)
    externalFiles.push_back(location.getAsString().value_or("").str());
  std::optional<std::string> key = hashArtifact(externalFiles);
  auto list = key ? readList(getPath(*key), "files") : std::nullopt;
  if (!list)
    return std::nullopt;
  std::vector<File> files;
  for (const json::Value &value : *list) {
    const json::Object *entry = value.getAsObject();
    auto role = entry ? entry->getString("role") : std::nullopt;
    auto expected = entry ? entry->getString("hash") : std::nullopt;
    if (!role || !expected)
      return std::nullopt;
    std::unique_ptr<MemoryBuffer> content = readFile(getPath(*key, *role));
    if (!content || FieldHash().add(content->getBuffer()).finish() != *expected)
      return std::nullopt;
    files.push_back({role->str(), std::move(content)});
  }
  return files;
}

Error ArtifactCache::store(ArrayRef<NewFile> files,
                           ArrayRef<std::string> externalFiles) const {
  if (!modelKey || hashModel() != modelKey)
    return Error::success();
  std::optional<std::string> key = hashArtifact(externalFiles);
  if (!key)
    return Error::success();
  if (std::error_code code = sys::fs::create_directories(
          options.cache, /*IgnoreExisting=*/true, sys::fs::owner_all))
    return createStringError(code, "cannot make the folder '" + options.cache +
                                       "': " + code.message());
  PendingFiles pending;
  auto write = [&](const std::string &path, auto content) {
    return pending.write(path, [&](raw_ostream &os) {
      os << content;
      return Error::success();
    });
  };
  json::Array list;
  for (const NewFile &file : files) {
    std::unique_ptr<MemoryBuffer> content = readFile(file.path);
    if (!content)
      return createStringError("cannot read '" + file.path + "'");
    if (Error error = write(getPath(*key, file.role), content->getBuffer()))
      return error;
    list.push_back(
        json::Object{{"role", file.role},
                     {"hash", FieldHash().add(content->getBuffer()).finish()}});
  }
  // What refers to others comes last.
  if (Error error = write(
          getPath(*key), json::Value(json::Object{{"files", std::move(list)}})))
    return error;
  if (Error error = write(
          getPath(*modelKey),
          json::Value(json::Object{{"external", json::Array(externalFiles)}})))
    return error;
  if (Error error = pending.commit())
    return error;
  Expected<CachePruningPolicy> policy =
      parseCachePruningPolicy(options.cachePolicy);
  if (!policy)
    return policy.takeError();
  pruneCache(options.cache, *policy);
  return Error::success();
}

std::string lathe::findWrongCachePolicy(StringRef policy) {
  Expected<CachePruningPolicy> parsed = parseCachePruningPolicy(policy);
  if (parsed)
    return "";
  return ("expected --cache-policy=cache_size_bytes=10g:prune_after=720h, got "
          "'" +
          policy + "': " + toString(parsed.takeError()))
      .str();
}
