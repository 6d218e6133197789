// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads TensorProto files. Compiled with exceptions, as protobuf's headers
// want.

#include "TensorProtoFile.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstring>
#include <onnx/onnx_pb.h>

using namespace lathe::driver;
using namespace llvm;

static Expected<DLDataType> getType(int type) {
  using Proto = onnx::TensorProto;
  switch (type) {
  case Proto::FLOAT:
    return DLDataType{kDLFloat, 32, 1};
  case Proto::DOUBLE:
    return DLDataType{kDLFloat, 64, 1};
  case Proto::FLOAT16:
    return DLDataType{kDLFloat, 16, 1};
  case Proto::BFLOAT16:
    return DLDataType{kDLBfloat, 16, 1};
  case Proto::INT4:
    return DLDataType{kDLInt, 4, 1};
  case Proto::INT8:
    return DLDataType{kDLInt, 8, 1};
  case Proto::INT16:
    return DLDataType{kDLInt, 16, 1};
  case Proto::INT32:
    return DLDataType{kDLInt, 32, 1};
  case Proto::INT64:
    return DLDataType{kDLInt, 64, 1};
  case Proto::UINT4:
    return DLDataType{kDLUInt, 4, 1};
  case Proto::UINT8:
    return DLDataType{kDLUInt, 8, 1};
  case Proto::UINT16:
    return DLDataType{kDLUInt, 16, 1};
  case Proto::UINT32:
    return DLDataType{kDLUInt, 32, 1};
  case Proto::UINT64:
    return DLDataType{kDLUInt, 64, 1};
  case Proto::BOOL:
    return DLDataType{kDLBool, 8, 1};
  case Proto::COMPLEX64:
    return DLDataType{kDLComplex, 64, 1};
  case Proto::COMPLEX128:
    return DLDataType{kDLComplex, 128, 1};
  case Proto::FLOAT8E4M3FN:
    return DLDataType{kDLFloat8_e4m3fn, 8, 1};
  case Proto::FLOAT8E4M3FNUZ:
    return DLDataType{kDLFloat8_e4m3fnuz, 8, 1};
  case Proto::FLOAT8E5M2:
    return DLDataType{kDLFloat8_e5m2, 8, 1};
  case Proto::FLOAT8E5M2FNUZ:
    return DLDataType{kDLFloat8_e5m2fnuz, 8, 1};
  case Proto::FLOAT8E8M0:
    return DLDataType{kDLFloat8_e8m0fnu, 8, 1};
  case Proto::FLOAT4E2M1:
    return DLDataType{kDLFloat4_e2m1fn, 4, 1};
  case Proto::FLOAT6E2M3:
    return DLDataType{kDLFloat6_e2m3fn, 6, 1};
  case Proto::FLOAT6E3M2:
    return DLDataType{kDLFloat6_e3m2fn, 6, 1};
  case Proto::INT2:
    return DLDataType{kDLInt, 2, 1};
  case Proto::UINT2:
    return DLDataType{kDLUInt, 2, 1};
  default:
    return createStringError("expected a type of numbers, got type " +
                             Twine(type));
  }
}

/// Copies a repeated field whose entries may be wider than the elements.
template <typename Field>
static bool copyField(const Field &field, size_t perEntry, HostTensor &tensor) {
  size_t bytes = tensor.getNumBytes();
  if (!perEntry || size_t(field.size()) != (bytes + perEntry - 1) / perEntry)
    return false;
  for (int i = 0; i < field.size(); ++i) {
    auto entry = field.Get(i);
    std::memcpy(tensor.data.get() + i * perEntry, &entry,
                std::min(perEntry, bytes - i * perEntry));
  }
  return true;
}

/// Packs a repeated field with a code in each entry.
template <typename Field>
static bool packField(const Field &field, HostTensor &tensor) {
  HostTensor codes = tensor;
  codes.dtype = {kDLOpaqueHandle, 8, 1};
  std::vector<char> bytes(field.begin(), field.end());
  if (static_cast<int64_t>(bytes.size()) != tensor.getNumElements())
    return false;
  codes.data = std::shared_ptr<char>(bytes.data(), [](char *) {});
  Expected<HostTensor> packed = readAs(codes, tensor.dtype);
  if (packed)
    tensor = std::move(*packed);
  else
    consumeError(packed.takeError());
  return true;
}

static bool copyData(const onnx::TensorProto &proto, HostTensor &tensor) {
  size_t bytes = tensor.getNumBytes();
  size_t element = std::max<size_t>(tensor.dtype.bits / 8, 1);
  if (proto.has_raw_data()) {
    if (proto.raw_data().size() != bytes)
      return false;
    if (bytes)
      std::memcpy(tensor.data.get(), proto.raw_data().data(), bytes);
    return true;
  }
  switch (proto.data_type()) {
  case onnx::TensorProto::FLOAT:
  case onnx::TensorProto::COMPLEX64:
    return copyField(proto.float_data(), sizeof(float), tensor);
  case onnx::TensorProto::DOUBLE:
  case onnx::TensorProto::COMPLEX128:
    return copyField(proto.double_data(), sizeof(double), tensor);
  case onnx::TensorProto::INT64:
    return copyField(proto.int64_data(), element, tensor);
  case onnx::TensorProto::UINT32:
  case onnx::TensorProto::UINT64:
    return copyField(proto.uint64_data(), element, tensor);
  case onnx::TensorProto::FLOAT6E2M3:
  case onnx::TensorProto::FLOAT6E3M2:
    return packField(proto.int32_data(), tensor);
  default:
    return copyField(proto.int32_data(), element, tensor);
  }
}

Expected<HostTensor> lathe::driver::parseTensorProto(StringRef contents,
                                                     std::string &name) {
  onnx::TensorProto proto;
  if (contents.size() > INT32_MAX ||
      !proto.ParseFromArray(contents.data(), static_cast<int>(contents.size())))
    return createStringError("expected a TensorProto");
  name = proto.name();
  if (proto.data_location() == onnx::TensorProto::EXTERNAL)
    return createStringError("expected data in the file, got external data");
  Expected<DLDataType> dtype = getType(proto.data_type());
  if (!dtype)
    return dtype.takeError();
  std::vector<int64_t> shape(proto.dims().begin(), proto.dims().end());
  // What the file says of its sizes is held against its length first.
  int64_t limit = static_cast<int64_t>(contents.size()) * 4;
  int64_t count = 1;
  for (int64_t size : shape) {
    if (size < 0 || (size && count > limit / size))
      return createStringError("expected as many elements as the shape says: " +
                               toString(shape));
    count *= std::max<int64_t>(size, 1);
  }
  Expected<HostTensor> tensor = HostTensor::create(*dtype, shape);
  if (!tensor)
    return tensor.takeError();
  if (!copyData(proto, *tensor))
    return createStringError("expected as many elements as the shape says: " +
                             toString(shape));
  return tensor;
}

Expected<HostTensor> lathe::driver::readTensorProto(StringRef path,
                                                    std::string &name) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return createStringError(path + ": " + file.getError().message());
  Expected<HostTensor> tensor = parseTensorProto((*file)->getBuffer(), name);
  if (!tensor)
    return createStringError(path + ": " + toString(tensor.takeError()));
  return tensor;
}
