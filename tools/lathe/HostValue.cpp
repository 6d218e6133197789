// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "HostValue.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace lathe::driver;
using namespace llvm;

HostTensor lathe::driver::makeHostValue(HostValue value,
                                        std::vector<int64_t> shape) {
  HostTensor tensor;
  tensor.dtype = valueType;
  tensor.shape = std::move(shape);
  tensor.value = std::make_shared<HostValue>(std::move(value));
  return tensor;
}

static const char *getKindName(int32_t kind) {
  switch (kind) {
  case LATHE_STRINGS:
    return "strings";
  case LATHE_SEQUENCE:
    return "sequence";
  case LATHE_MAP:
    return "map";
  case LATHE_OPTIONAL:
    return "optional";
  default:
    return "tensor";
  }
}

static int32_t getKind(const HostTensor &tensor) {
  return tensor.value ? tensor.value->kind : int32_t(LATHE_TENSOR);
}

//===----------------------------------------------------------------------===//
// The runtime's values
//===----------------------------------------------------------------------===//

static lathe_status createStrings(const lathe_model *model,
                                  const HostTensor &tensor,
                                  lathe_value **value) {
  std::vector<const char *> texts;
  std::vector<size_t> lengths;
  for (const std::string &text : tensor.value->strings) {
    texts.push_back(text.data());
    lengths.push_back(text.size());
  }
  return lathe_value_create_strings(model, nullptr, tensor.shape.size(),
                                    tensor.shape.data(), texts.data(),
                                    lengths.data(), value);
}

Expected<lathe_value *> lathe::driver::createValue(const lathe_model *model,
                                                   const HostTensor &tensor) {
  lathe_value *value = nullptr;
  lathe_status status = LATHE_OK;
  int32_t kind = getKind(tensor);
  std::vector<lathe_value *> elements;
  Error failure = Error::success();
  if (tensor.value)
    for (const HostTensor &element : tensor.value->elements) {
      Expected<lathe_value *> made = createValue(model, element);
      if (!made) {
        failure = made.takeError();
        break;
      }
      elements.push_back(*made);
    }
  if (failure) {
  } else if (kind == LATHE_TENSOR) {
    DLTensor view = tensor.getView();
    status = lathe_value_create_tensor(model, nullptr, &view, &value);
  } else if (kind == LATHE_STRINGS) {
    status = createStrings(model, tensor, &value);
  } else if (kind == LATHE_SEQUENCE) {
    status = lathe_value_create_sequence(model, nullptr, elements.size(),
                                         elements.data(), &value);
  } else if (kind == LATHE_MAP && elements.size() == 2) {
    status = lathe_value_create_map(model, nullptr, elements[0], elements[1],
                                    &value);
  } else {
    status = lathe_value_create_optional(
        model, nullptr, elements.empty() ? nullptr : elements[0], &value);
  }
  for (lathe_value *element : elements)
    lathe_value_release(model, element);
  if (failure)
    return std::move(failure);
  if (status)
    return createStringError("cannot make a value of kind " +
                             StringRef(getKindName(kind)));
  return value;
}

Expected<HostTensor> lathe::driver::readValue(const lathe_model *model,
                                              const lathe_value *value) {
  HostValue host;
  host.kind = lathe_value_get_kind(model, value);
  DLTensor view;
  std::vector<int64_t> shape;
  if (!lathe_value_get_tensor(model, value, &view))
    shape.assign(view.shape, view.shape + view.ndim);
  if (host.kind == LATHE_TENSOR) {
    Expected<HostTensor> tensor = HostTensor::create(view.dtype, shape);
    if (tensor && tensor->getNumElements())
      std::memcpy(tensor->data.get(), view.data, tensor->getNumBytes());
    return tensor;
  }
  int64_t count = lathe_value_get_count(model, value);
  if (host.kind == LATHE_STRINGS) {
    for (int64_t i = 0; i < count; ++i) {
      size_t length = 0;
      const char *text = lathe_value_get_string(model, value, i, &length);
      host.strings.emplace_back(text, length);
    }
    return makeHostValue(std::move(host), shape);
  }
  if (host.kind == LATHE_MAP)
    count = 2;
  for (int64_t i = 0; i < count; ++i) {
    Expected<HostTensor> element =
        readValue(model, lathe_value_get_element(model, value, i));
    if (!element)
      return element.takeError();
    host.elements.push_back(std::move(*element));
  }
  return makeHostValue(std::move(host));
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

std::string lathe::driver::describe(const HostTensor &tensor) {
  if (!tensor.value)
    return toString(tensor.dtype) + toString(tensor.shape);
  std::string kind = getKindName(tensor.value->kind);
  return tensor.value->kind == LATHE_STRINGS ? kind + toString(tensor.shape)
                                             : kind;
}

std::string lathe::driver::summarizeValue(const HostTensor &tensor) {
  if (!tensor.value)
    return summarize(tensor);
  const HostValue &value = *tensor.value;
  std::string text;
  raw_string_ostream os(text);
  constexpr size_t most = 8;
  if (value.kind == LATHE_STRINGS) {
    os << "strings" << toString(tensor.shape);
    if (value.strings.empty())
      return text;
    os << " =";
    for (const std::string &string : ArrayRef(value.strings).take_front(most)) {
      os << " \"";
      printEscapedString(string, os);
      os << '"';
    }
    if (value.strings.size() > most)
      os << " …";
    return text;
  }
  os << getKindName(value.kind) << " of " << value.elements.size() << '(';
  ArrayRef<HostTensor> shown = ArrayRef(value.elements).take_front(most);
  interleaveComma(shown, os, [&](const HostTensor &element) {
    os << summarizeValue(element);
  });
  os << (shown.size() < value.elements.size() ? ", …)" : ")");
  return text;
}

Mismatch lathe::driver::compareValues(const HostTensor &expected,
                                      const HostTensor &got, double rtol,
                                      double atol) {
  int32_t kind = getKind(expected);
  if (kind == LATHE_TENSOR && getKind(got) == LATHE_TENSOR)
    return compareTensors(expected, got, rtol, atol);
  Mismatch result;
  auto differ = [&](const std::string &message) {
    result.count = 1;
    result.message = message;
    return result;
  };
  // What is in an optional counts as itself: files do not always say.
  if (kind == LATHE_OPTIONAL && getKind(got) != LATHE_OPTIONAL &&
      expected.value->elements.size() == 1)
    return compareValues(expected.value->elements[0], got, rtol, atol);
  if (getKind(got) == LATHE_OPTIONAL && kind != LATHE_OPTIONAL &&
      got.value->elements.size() == 1)
    return compareValues(expected, got.value->elements[0], rtol, atol);
  if (kind != getKind(got))
    return differ("expected a value of kind " + std::string(getKindName(kind)) +
                  ", got " + getKindName(getKind(got)));
  const HostValue &want = *expected.value, &have = *got.value;
  if (kind == LATHE_STRINGS) {
    if (expected.shape != got.shape)
      return differ("expected strings" + toString(expected.shape) +
                    ", got strings" + toString(got.shape));
    for (auto [i, pair] : enumerate(zip_equal(want.strings, have.strings))) {
      auto &[a, b] = pair;
      if (a == b)
        continue;
      if (!result.count++)
        result.message = "string " + std::to_string(i) + ": expected \"" + a +
                         "\", got \"" + b + "\"";
    }
    return result;
  }
  if (want.elements.size() != have.elements.size())
    return differ("expected " + std::to_string(want.elements.size()) +
                  " elements, got " + std::to_string(have.elements.size()));
  for (auto [i, pair] : enumerate(zip_equal(want.elements, have.elements))) {
    Mismatch part =
        compareValues(std::get<0>(pair), std::get<1>(pair), rtol, atol);
    if (part.count && !result.count)
      result.message = "element " + std::to_string(i) + ": " + part.message;
    result.count += part.count;
    result.maxAbsolute = std::max(result.maxAbsolute, part.maxAbsolute);
    result.maxRelative = std::max(result.maxRelative, part.maxRelative);
  }
  return result;
}
