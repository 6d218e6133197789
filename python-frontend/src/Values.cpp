// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Values.h"
#include "Tensors.h"
#include <cstring>
#include <nanobind/stl/string.h>
#include <string_view>

namespace nb = nanobind;
using namespace lathe::python;

nb::object lathe::python::toStr(const char *text, size_t length) {
  PyObject *str = PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(length),
                                       "surrogateescape");
  if (!str)
    throw nb::python_error();
  return nb::steal(str);
}

/// Takes `name(` and the last `)` off a type.
static bool consume(std::string_view &type, std::string_view name) {
  if (type.size() < name.size() + 2 || type.substr(0, name.size()) != name ||
      type[name.size()] != '(' || type.back() != ')')
    return false;
  type = type.substr(name.size() + 1, type.size() - name.size() - 2);
  return true;
}

//===----------------------------------------------------------------------===//
// From Python
//===----------------------------------------------------------------------===//

namespace {
/// Makes the values of one input.
class ValueMaker {
public:
  ValueMaker(const lathe_model *model, const Signature &expected)
      : model(model), expected(expected) {}
  Value make(std::string_view type, nb::handle object);

private:
  [[noreturn]] void refuse(std::string_view type, nb::handle object);
  /// `value` is a reference since the call that makes it may come second.
  Value own(lathe_status status, lathe_value *const &value);
  nb::object toArray(nb::handle object, nb::handle dtype,
                     std::string_view type);
  Value makeStrings(nb::handle object, std::string_view type);
  Value makeTensor(nb::handle object, std::string_view type);
  Value makeSequence(nb::handle object, std::string_view element);
  Value makeMap(nb::handle object, std::string_view type);

  const lathe_model *model;
  const Signature &expected;
};
} // namespace

void ValueMaker::refuse(std::string_view type, nb::handle object) {
  raise("InvalidArgument",
        "input '" + expected.name + "': expected " + std::string(type) +
            ", got " + nb::cast<std::string>(object.type().attr("__name__")));
}

Value ValueMaker::own(lathe_status status, lathe_value *const &value) {
  if (status)
    throw RuntimeFailure(status, "input '" + expected.name +
                                     "': cannot make a value of type " +
                                     expected.type);
  return Value(model, value);
}

Value ValueMaker::make(std::string_view type, nb::handle object) {
  std::string_view inner = type;
  if (consume(inner, "optional")) {
    Value element;
    if (!object.is_none())
      element = make(inner, object);
    lathe_value *value = nullptr;
    return own(
        lathe_value_create_optional(model, nullptr, element.get(), &value),
        value);
  }
  if (consume(inner, "seq"))
    return makeSequence(object, inner);
  if (consume(inner, "map"))
    return makeMap(object, inner);
  if (type == "tensor(string)")
    return makeStrings(object, type);
  return makeTensor(object, type);
}

nb::object ValueMaker::toArray(nb::handle object, nb::handle dtype,
                               std::string_view type) {
  try {
    return nb::module_::import_("numpy").attr("asarray")(object, dtype);
  } catch (nb::python_error &) {
    refuse(type, object);
  }
}

static std::vector<int64_t> getShape(nb::handle array) {
  std::vector<int64_t> shape;
  for (nb::handle size : nb::tuple(array.attr("shape")))
    shape.push_back(nb::cast<int64_t>(size));
  return shape;
}

Value ValueMaker::makeStrings(nb::handle object, std::string_view type) {
  if (object.is_none())
    refuse(type, object);
  nb::object objects = nb::module_::import_("builtins").attr("object");
  nb::object array = toArray(object, objects, type);
  std::vector<int64_t> shape = getShape(array);
  nb::list items =
      nb::cast<nb::list>(array.attr("reshape")(-1).attr("tolist")());
  std::vector<const char *> texts;
  std::vector<size_t> lengths;
  for (nb::handle item : items) {
    Py_ssize_t length = 0;
    const char *text = nullptr;
    if (PyBytes_Check(item.ptr())) {
      text = PyBytes_AsString(item.ptr());
      length = PyBytes_Size(item.ptr());
    } else if (PyUnicode_Check(item.ptr())) {
      text = PyUnicode_AsUTF8AndSize(item.ptr(), &length);
    }
    if (!text) {
      PyErr_Clear();
      refuse(type, item);
    }
    texts.push_back(text);
    lengths.push_back(static_cast<size_t>(length));
  }
  lathe_value *value = nullptr;
  return own(lathe_value_create_strings(
                 model, nullptr, static_cast<int32_t>(shape.size()),
                 shape.data(), texts.data(), lengths.data(), &value),
             value);
}

Value ValueMaker::makeTensor(nb::handle object, std::string_view type) {
  nb::object types = nb::module_::import_("lathe._types");
  nb::object found = types.attr("find_code")(std::string(type));
  if (found.is_none() || object.is_none())
    refuse(type, object);
  auto code = nb::cast<int>(found[0]), bits = nb::cast<int>(found[1]);
  Signature signature = {
      expected.name,
      {static_cast<uint8_t>(code), static_cast<uint8_t>(bits), 1},
      {},
      {}};
  ElementType element = findElement(signature.dtype);
  Argument argument;
  argument.take(object, signature, element);
  lathe_value *value = nullptr;
  return own(
      lathe_value_create_tensor(model, nullptr, &argument.getView(), &value),
      value);
}

Value ValueMaker::makeSequence(nb::handle object, std::string_view element) {
  if (!nb::isinstance<nb::list>(object) && !nb::isinstance<nb::tuple>(object))
    refuse("a list of " + std::string(element), object);
  std::vector<Value> elements;
  std::vector<lathe_value *> borrowed;
  for (nb::handle item : object) {
    elements.push_back(make(element, item));
    borrowed.push_back(elements.back().get());
  }
  lathe_value *value = nullptr;
  return own(lathe_value_create_sequence(model, nullptr,
                                         static_cast<int64_t>(borrowed.size()),
                                         borrowed.data(), &value),
             value);
}

Value ValueMaker::makeMap(nb::handle object, std::string_view type) {
  size_t comma = type.find(',');
  if (!nb::isinstance<nb::dict>(object) || comma == std::string_view::npos)
    refuse("map(" + std::string(type) + ")", object);
  std::string key = "tensor(" + std::string(type.substr(0, comma)) + ")";
  std::string_view element = type.substr(comma + 1);
  nb::dict map = nb::cast<nb::dict>(object);
  Value keys = make(key, map.keys());
  // Scalars are one tensor, anything else a sequence.
  bool isScalar = element.substr(0, 7) == "tensor(";
  for (nb::handle item : map.values())
    isScalar &= !nb::hasattr(item, "shape") ||
                nb::len(nb::tuple(item.attr("shape"))) == 0;
  Value values = isScalar ? make(element, map.values())
                          : makeSequence(map.values(), element);
  lathe_value *value = nullptr;
  return own(
      lathe_value_create_map(model, nullptr, keys.get(), values.get(), &value),
      value);
}

Value lathe::python::makeValue(const lathe_model *model,
                               const Signature &expected, nb::handle object) {
  return ValueMaker(model, expected).make(expected.type, object);
}

//===----------------------------------------------------------------------===//
// To Python
//===----------------------------------------------------------------------===//

static nb::object toTuple(const DLTensor &view) {
  nb::list sizes;
  for (int32_t d = 0; d < view.ndim; ++d)
    sizes.append(view.shape[d]);
  return nb::tuple(sizes);
}

static nb::object readStrings(const lathe_model *model,
                              const lathe_value *value, const DLTensor &view) {
  nb::object numpy = nb::module_::import_("numpy");
  int64_t count = lathe_value_get_count(model, value);
  nb::object array = numpy.attr("empty")(
      count, nb::module_::import_("builtins").attr("object"));
  for (int64_t i = 0; i < count; ++i) {
    size_t length = 0;
    const char *text = lathe_value_get_string(model, value, i, &length);
    array[i] = toStr(text, length);
  }
  return array.attr("reshape")(toTuple(view));
}

static nb::object readTensor(const DLTensor &view) {
  ElementType element = findElement(view.dtype);
  int64_t count = 1;
  for (int32_t d = 0; d < view.ndim; ++d)
    count *= view.shape[d];
  nb::object bytes = nb::steal(PyByteArray_FromStringAndSize(
      static_cast<const char *>(view.data) + view.byte_offset,
      (count * view.dtype.bits + 7) / 8));
  nb::object array =
      nb::module_::import_("numpy").attr("frombuffer")(bytes, element.storage);
  if (element.bytes == 0)
    return nb::module_::import_("lathe._types")
        .attr("unpack")(array, element.type, toTuple(view));
  return array.attr("view")(element.type).attr("reshape")(toTuple(view));
}

nb::object lathe::python::readValue(const lathe_model *model,
                                    const lathe_value *value) {
  DLTensor view = {};
  bool hasShape = value && !lathe_value_get_tensor(model, value, &view);
  int32_t kind = value ? lathe_value_get_kind(model, value) : LATHE_OPTIONAL;
  switch (kind) {
  case LATHE_TENSOR:
    return hasShape ? readTensor(view) : nb::none();
  case LATHE_STRINGS:
    return readStrings(model, value, view);
  case LATHE_SEQUENCE: {
    nb::list list;
    for (int64_t i = 0; i < lathe_value_get_count(model, value); ++i)
      list.append(readValue(model, lathe_value_get_element(model, value, i)));
    return list;
  }
  case LATHE_MAP: {
    nb::object sides[2];
    for (int i : {0, 1}) {
      sides[i] = readValue(model, lathe_value_get_element(model, value, i));
      if (nb::hasattr(sides[i], "tolist"))
        sides[i] = sides[i].attr("tolist")();
    }
    nb::dict map;
    for (size_t i = 0; i < nb::len(sides[0]); ++i)
      map[nb::object(sides[0][i])] = nb::object(sides[1][i]);
    return map;
  }
  default:
    if (!value || !lathe_value_get_count(model, value))
      return nb::none();
    return readValue(model, lathe_value_get_element(model, value, 0));
  }
}
