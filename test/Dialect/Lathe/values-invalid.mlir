// RUN: lathe-opt %s --split-input-file --verify-diagnostics

func.func @call_c1(%s: !lathe.value) {
  // expected-error @+1 {{expects 2 types, got 1}}
  %0 = lathe.call "identity"(%s) {types = [none]} : (!lathe.value) -> !lathe.value
  return
}

// -----

func.func @call_c2(%s: !lathe.value) {
  // expected-error @+1 {{expects 1 sizes of results, got 0}}
  %0 = lathe.call "identity"(%s) {types = [none, f32]} : (!lathe.value) -> tensor<?xf32>
  return
}

// -----

func.func @literal() {
  // expected-error @+1 {{expects elements or 'unit', got 1}}
  %0 = lathe.literal 1 : i64
  return
}
