// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiled with exceptions, as protobuf's headers want.

#include "ValueProtoFile.h"
#include "HostValue.h"
#include "TensorProtoFile.h"
#include "llvm/Support/FileOutputBuffer.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstring>
#include <onnx/onnx-data.pb.h>
#include <onnx/onnx_pb.h>

using namespace lathe::driver;
using namespace llvm;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static Expected<HostTensor> convert(const onnx::TensorProto &proto) {
  if (proto.data_type() != onnx::TensorProto::STRING) {
    std::string name;
    return parseTensorProto(proto.SerializeAsString(), name);
  }
  std::vector<int64_t> shape(proto.dims().begin(), proto.dims().end());
  int64_t count = 1;
  for (int64_t size : shape) {
    if (size < 0 || (size && count > INT32_MAX / size))
      return createStringError("expected as many strings as the shape says: " +
                               toString(shape));
    count *= size;
  }
  if (count != proto.string_data_size())
    return createStringError("expected as many strings as the shape says: " +
                             toString(shape));
  HostValue value;
  value.strings.assign(proto.string_data().begin(), proto.string_data().end());
  return makeHostValue(std::move(value), shape);
}

static Expected<HostTensor> convert(const onnx::SequenceProto &proto);
static Expected<HostTensor> convert(const onnx::MapProto &proto);
static Expected<HostTensor> convert(const onnx::OptionalProto &proto);

template <typename Protos>
static Error append(const Protos &protos, HostValue &value) {
  for (const auto &proto : protos) {
    Expected<HostTensor> element = convert(proto);
    if (!element)
      return element.takeError();
    value.elements.push_back(std::move(*element));
  }
  return Error::success();
}

static Expected<HostTensor> convert(const onnx::SequenceProto &proto) {
  HostValue value;
  value.kind = LATHE_SEQUENCE;
  Error error = Error::success();
  switch (proto.elem_type()) {
  case onnx::SequenceProto::UNDEFINED: // of an empty one
  case onnx::SequenceProto::TENSOR:
    error = append(proto.tensor_values(), value);
    break;
  case onnx::SequenceProto::SEQUENCE:
    error = append(proto.sequence_values(), value);
    break;
  case onnx::SequenceProto::MAP:
    error = append(proto.map_values(), value);
    break;
  case onnx::SequenceProto::OPTIONAL:
    error = append(proto.optional_values(), value);
    break;
  default:
    error = createStringError("expected a sequence of tensors, sequences, maps "
                              "or optionals");
  }
  if (error)
    return std::move(error);
  return makeHostValue(std::move(value));
}

/// A tensor of one dimension of what a sequence of scalars holds; the sequence
/// itself where it is none.
static Expected<HostTensor> joinScalars(HostTensor sequence) {
  ArrayRef<HostTensor> elements = sequence.value->elements;
  std::vector<int64_t> shape = {int64_t(elements.size())};
  bool areStrings = !elements.empty() && elements[0].value;
  HostValue strings;
  for (const HostTensor &element : elements) {
    bool fits = areStrings ? element.value && element.value->strings.size() == 1
                           : !element.value && element.getNumElements() == 1 &&
                                 element.dtype == elements[0].dtype;
    if (!fits)
      return sequence;
    if (areStrings)
      strings.strings.push_back(element.value->strings[0]);
  }
  if (areStrings)
    return makeHostValue(std::move(strings), shape);
  Expected<HostTensor> joined = HostTensor::create(
      elements.empty() ? HostTensor().dtype : elements[0].dtype, shape);
  if (joined)
    for (size_t i = 0; i < elements.size(); ++i) {
      size_t bytes = elements[i].getNumBytes();
      std::memcpy(joined->data.get() + i * bytes, elements[i].data.get(),
                  bytes);
    }
  return joined;
}

static Expected<HostTensor> convert(const onnx::MapProto &proto) {
  onnx::TensorProto keys;
  keys.set_data_type(proto.key_type());
  if (proto.key_type() == onnx::TensorProto::STRING) {
    *keys.mutable_string_data() = proto.string_keys();
    keys.add_dims(proto.string_keys_size());
  } else {
    keys.set_data_type(onnx::TensorProto::INT64);
    *keys.mutable_int64_data() = proto.keys();
    keys.add_dims(proto.keys_size());
  }
  Expected<HostTensor> made = convert(keys);
  if (!made)
    return made;
  Expected<HostTensor> values = convert(proto.values());
  if (values)
    values = joinScalars(std::move(*values));
  if (!values)
    return values;
  HostValue value;
  value.kind = LATHE_MAP;
  value.elements = {std::move(*made), std::move(*values)};
  return makeHostValue(std::move(value));
}

static Expected<HostTensor> convert(const onnx::OptionalProto &proto) {
  HostValue value;
  value.kind = LATHE_OPTIONAL;
  Expected<HostTensor> element =
      proto.has_tensor_value()     ? convert(proto.tensor_value())
      : proto.has_sequence_value() ? convert(proto.sequence_value())
      : proto.has_map_value()      ? convert(proto.map_value())
      : proto.has_optional_value() ? convert(proto.optional_value())
                                   : makeHostValue(value);
  if (!element)
    return element;
  if (proto.has_tensor_value() || proto.has_sequence_value() ||
      proto.has_map_value() || proto.has_optional_value())
    value.elements.push_back(std::move(*element));
  return makeHostValue(std::move(value));
}

template <typename Proto>
static Expected<HostTensor> parse(StringRef contents, std::string &name) {
  Proto proto;
  if (contents.size() > INT32_MAX ||
      !proto.ParseFromArray(contents.data(), static_cast<int>(contents.size())))
    return createStringError("expected a " + Proto::descriptor()->name());
  name = proto.name();
  return convert(proto);
}

Expected<HostTensor> lathe::driver::readValueProto(StringRef path,
                                                   StringRef type,
                                                   std::string &name) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return createStringError(path + ": " + file.getError().message());
  StringRef contents = (*file)->getBuffer();
  Expected<HostTensor> tensor =
      type.starts_with("seq(")   ? parse<onnx::SequenceProto>(contents, name)
      : type.starts_with("map(") ? parse<onnx::MapProto>(contents, name)
      : type.starts_with("optional(")
          ? parse<onnx::OptionalProto>(contents, name)
      : type == "tensor(string)" ? parse<onnx::TensorProto>(contents, name)
                                 : parseTensorProto(contents, name);
  if (!tensor)
    return createStringError(path + ": " + toString(tensor.takeError()));
  return tensor;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static Expected<int> getDataType(DLDataType dtype) {
  using Proto = onnx::TensorProto;
  auto pick = [&](std::initializer_list<std::pair<int, int>> list) {
    for (auto [bits, type] : list)
      if (dtype.bits == bits && dtype.lanes == 1)
        return type;
    return int(Proto::UNDEFINED);
  };
  int type = Proto::UNDEFINED;
  if (dtype.code == kDLFloat)
    type =
        pick({{16, Proto::FLOAT16}, {32, Proto::FLOAT}, {64, Proto::DOUBLE}});
  else if (dtype.code == kDLBfloat)
    type = pick({{16, Proto::BFLOAT16}});
  else if (dtype.code == kDLBool)
    type = pick({{8, Proto::BOOL}});
  else if (dtype.code == kDLInt)
    type = pick({{8, Proto::INT8},
                 {16, Proto::INT16},
                 {32, Proto::INT32},
                 {64, Proto::INT64}});
  else if (dtype.code == kDLUInt)
    type = pick({{8, Proto::UINT8},
                 {16, Proto::UINT16},
                 {32, Proto::UINT32},
                 {64, Proto::UINT64}});
  else if (dtype.code == kDLComplex)
    type = pick({{64, Proto::COMPLEX64}, {128, Proto::COMPLEX128}});
  if (type == Proto::UNDEFINED)
    return createStringError("cannot write " + toString(dtype));
  return type;
}

static Error fillProto(const HostTensor &tensor, onnx::TensorProto &proto) {
  for (int64_t size : tensor.shape)
    proto.add_dims(size);
  if (tensor.value) {
    proto.set_data_type(onnx::TensorProto::STRING);
    for (const std::string &string : tensor.value->strings)
      proto.add_string_data(string);
    return Error::success();
  }
  Expected<int> type = getDataType(tensor.dtype);
  if (!type)
    return type.takeError();
  proto.set_data_type(*type);
  proto.set_raw_data(tensor.data.get(), tensor.getNumBytes());
  return Error::success();
}

static int32_t getKind(const HostTensor &tensor) {
  return tensor.value ? tensor.value->kind : int32_t(LATHE_TENSOR);
}

static Error fillProto(const HostTensor &tensor, onnx::SequenceProto &proto);
static Error fillProto(const HostTensor &tensor, onnx::OptionalProto &proto);

/// Element `i` of a tensor or strings of one dimension.
static HostTensor getScalar(const HostTensor &tensor, size_t i) {
  if (tensor.value)
    return makeHostValue({LATHE_STRINGS, {tensor.value->strings[i]}, {}});
  HostTensor scalar = tensor;
  scalar.shape.clear();
  scalar.data = std::shared_ptr<char>(
      tensor.data, tensor.data.get() + i * (tensor.dtype.bits / 8));
  return scalar;
}

static Error fillProto(const HostTensor &tensor, onnx::MapProto &proto) {
  const HostTensor &keys = tensor.value->elements[0];
  const HostTensor &values = tensor.value->elements[1];
  if (keys.value) {
    proto.set_key_type(onnx::TensorProto::STRING);
    for (const std::string &key : keys.value->strings)
      proto.add_string_keys(key);
  } else {
    Expected<int> type = getDataType(keys.dtype);
    if (!type)
      return type.takeError();
    proto.set_key_type(*type);
    for (int64_t i = 0; i < keys.getNumElements(); ++i)
      proto.add_keys(static_cast<int64_t>(ElementReader(keys)[i]));
  }
  if (getKind(values) == LATHE_SEQUENCE)
    return fillProto(values, *proto.mutable_values());
  proto.mutable_values()->set_elem_type(onnx::SequenceProto::TENSOR);
  for (int64_t i = 0; i < values.getNumElements(); ++i)
    if (Error error = fillProto(getScalar(values, i),
                                *proto.mutable_values()->add_tensor_values()))
      return error;
  return Error::success();
}

static Error fillProto(const HostTensor &tensor, onnx::SequenceProto &proto) {
  ArrayRef<HostTensor> elements = tensor.value->elements;
  int32_t kind =
      elements.empty() ? int32_t(LATHE_TENSOR) : getKind(elements.front());
  proto.set_elem_type(kind == LATHE_SEQUENCE   ? onnx::SequenceProto::SEQUENCE
                      : kind == LATHE_MAP      ? onnx::SequenceProto::MAP
                      : kind == LATHE_OPTIONAL ? onnx::SequenceProto::OPTIONAL
                                               : onnx::SequenceProto::TENSOR);
  for (const HostTensor &element : elements)
    if (Error error = kind == LATHE_SEQUENCE
                          ? fillProto(element, *proto.add_sequence_values())
                      : kind == LATHE_MAP
                          ? fillProto(element, *proto.add_map_values())
                      : kind == LATHE_OPTIONAL
                          ? fillProto(element, *proto.add_optional_values())
                          : fillProto(element, *proto.add_tensor_values()))
      return error;
  return Error::success();
}

static Error fillProto(const HostTensor &tensor, onnx::OptionalProto &proto) {
  if (tensor.value->elements.empty())
    return Error::success();
  const HostTensor &element = tensor.value->elements.front();
  switch (getKind(element)) {
  case LATHE_SEQUENCE:
    proto.set_elem_type(onnx::OptionalProto::SEQUENCE);
    return fillProto(element, *proto.mutable_sequence_value());
  case LATHE_MAP:
    proto.set_elem_type(onnx::OptionalProto::MAP);
    return fillProto(element, *proto.mutable_map_value());
  case LATHE_OPTIONAL:
    proto.set_elem_type(onnx::OptionalProto::OPTIONAL);
    return fillProto(element, *proto.mutable_optional_value());
  default:
    proto.set_elem_type(onnx::OptionalProto::TENSOR);
    return fillProto(element, *proto.mutable_tensor_value());
  }
}

template <typename Proto>
static Expected<std::string> serialize(const HostTensor &tensor) {
  Proto proto;
  if (Error error = fillProto(tensor, proto))
    return std::move(error);
  return proto.SerializeAsString();
}

Error lathe::driver::writeValueProto(StringRef path, const HostTensor &tensor) {
  Expected<std::string> bytes = [&]() -> Expected<std::string> {
    switch (getKind(tensor)) {
    case LATHE_SEQUENCE:
      return serialize<onnx::SequenceProto>(tensor);
    case LATHE_MAP:
      return serialize<onnx::MapProto>(tensor);
    case LATHE_OPTIONAL:
      return serialize<onnx::OptionalProto>(tensor);
    default:
      return serialize<onnx::TensorProto>(tensor);
    }
  }();
  if (!bytes)
    return createStringError(path + ": " + toString(bytes.takeError()));
  Expected<std::unique_ptr<FileOutputBuffer>> out =
      FileOutputBuffer::create(path, bytes->size());
  if (!out)
    return createStringError(path + ": " + toString(out.takeError()));
  llvm::copy(*bytes, (*out)->getBufferStart());
  if (Error error = (*out)->commit())
    return createStringError(path + ": " + toString(std::move(error)));
  return Error::success();
}
