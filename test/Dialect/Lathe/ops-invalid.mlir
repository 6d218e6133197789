// RUN: lathe-opt %s -split-input-file -verify-diagnostics

func.func @weight_of_another_type() -> tensor<2x3xf32> {
  // expected-error @+1 {{'lathe.weight' op expects result type 'tensor<3x2xf32>', got 'tensor<2x3xf32>'}}
  %w = lathe.weight dense<1.0> : tensor<2x3xf32> recipe [#lathe.permute<[1, 0]>] : tensor<2x3xf32>
  return %w : tensor<2x3xf32>
}

// -----

func.func @permute_of_another_rank() -> tensor<2x3xf32> {
  // expected-error @+1 {{expects a permutation of 2 dimensions}}
  %w = lathe.weight dense<1.0> : tensor<2x3xf32> recipe [#lathe.permute<[1, 0, 2]>] : tensor<2x3xf32>
  return %w : tensor<2x3xf32>
}

// -----

func.func @reshape_of_another_count() -> tensor<7xf32> {
  // expected-error @+1 {{expects a shape of 6 elements}}
  %w = lathe.weight dense<1.0> : tensor<2x3xf32> recipe [#lathe.reshape<[7]>] : tensor<7xf32>
  return %w : tensor<7xf32>
}

// -----

func.func @slice_past_the_end() -> tensor<4xf32> {
  // expected-error @+1 {{expects a slice of 6 elements}}
  %w = lathe.weight dense<1.0> : tensor<2x3xf32> recipe [#lathe.slice<3, [4]>] : tensor<4xf32>
  return %w : tensor<4xf32>
}

// -----

func.func @panel_of_no_width() -> tensor<4xf32> {
  // expected-error @+1 {{expects a positive width and rank, got width 0 and rank 2}}
  %w = lathe.weight dense<1.0> : tensor<2x3xf32> recipe [#lathe.panel<0>] : tensor<4xf32>
  return %w : tensor<4xf32>
}

// -----

func.func @scale_of_another_size() -> tensor<2x3xf32> {
  // expected-error @+1 {{expects one factor per index of an axis, got 2 factors for axis 1}}
  %w = lathe.weight dense<1.0> : tensor<2x3xf32> recipe [#lathe.scale<1, dense<2.0> : tensor<2xf32>>] : tensor<2x3xf32>
  return %w : tensor<2x3xf32>
}

// -----

func.func @winograd_rank() {
  // expected-error @below {{expects filters of two dimensions, got rank 1}}
  %w = lathe.weight dense<1.0> : tensor<3xf32> recipe [#lathe.winograd<2>] : tensor<4xf32>
  return
}

// -----

func.func @winograd_products() {
  // expected-error @below {{expects a tile and taps with 4, 6 or 8 products, got a tile of 3 and 3 taps}}
  %w = lathe.weight dense<1.0> : tensor<2x3x3xf32> recipe [#lathe.winograd<3>] : tensor<2x5x5xf32>
  return
}

// -----

func.func @convert_to_wide() {
  // expected-error @below {{expects f32 to become bf16 or f16, got 'f32' to become 'f64'}}
  %w = lathe.weight dense<1.0> : tensor<4xf32> recipe [#lathe.convert<f64>] : tensor<4xf64>
  return
}

// -----

func.func @convert_twice() {
  // expected-error @below {{expects f32 to become bf16 or f16, got 'bf16' to become 'f16'}}
  %w = lathe.weight dense<1.0> : tensor<4xf32> recipe [#lathe.convert<bf16>, #lathe.convert<f16>] : tensor<4xf16>
  return
}

// -----

func.func @convert_type() {
  // expected-error @below {{expects result type 'tensor<4xbf16>', got 'tensor<4xf32>'}}
  %w = lathe.weight dense<1.0> : tensor<4xf32> recipe [#lathe.convert<bf16>] : tensor<4xf32>
  return
}

// -----

func.func @view_without_sizes(%x: tensor<?x4xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{expects 1 dynamic sizes, got 0}}
  %v = lathe.view %x : tensor<?x4xf32> to tensor<?xf32>
  return %v : tensor<?xf32>
}

// -----

func.func @view_of_another_type(%x: tensor<4xf32>) -> tensor<4xi32> {
  // expected-error @+1 {{expects element type 'f32', got 'i32'}}
  %v = lathe.view %x : tensor<4xf32> to tensor<4xi32>
  return %v : tensor<4xi32>
}

// -----

func.func @view_of_another_count(%x: tensor<4xf32>) -> tensor<5xf32> {
  // expected-error @+1 {{expects 4 elements, got 5}}
  %v = lathe.view %x : tensor<4xf32> to tensor<5xf32>
  return %v : tensor<5xf32>
}

// -----

// expected-error @+1 {{expects 1 positions in input_dims}}
lathe.kernel @positions(%x: tensor<?xf32>, %n: index) -> (tensor<?xf32>) input_dims [[]] result_dims [[0]] {
  lathe.yield %x : tensor<?xf32>
}

// -----

// expected-error @+1 {{expects positions in result_dims below 1, got 1}}
lathe.kernel @position_past_the_sizes(%x: tensor<?xf32>, %n: index) -> (tensor<?xf32>) input_dims [[0]] result_dims [[1]] {
  lathe.yield %x : tensor<?xf32>
}

// -----

// expected-error @+1 {{expects sizes of type 'index', got 'f32'}}
lathe.kernel @size_of_another_type(%x: tensor<4xf32>, %n: f32) -> (tensor<4xf32>) input_dims [[]] result_dims [[]] {
  lathe.yield %x : tensor<4xf32>
}

// -----

// expected-error @+1 {{expects to yield 1 values, got 0}}
lathe.kernel @yield_of_nothing(%x: tensor<4xf32>) -> (tensor<4xf32>) input_dims [[]] result_dims [[]] {
  lathe.yield
}

// -----

// expected-error @+1 {{expects to yield 'tensor<5xf32>', got 'tensor<4xf32>'}}
lathe.kernel @yield_of_another_type(%x: tensor<4xf32>) -> (tensor<5xf32>) input_dims [[]] result_dims [[]] {
  lathe.yield %x : tensor<4xf32>
}

// -----

func.func @launch_of_nothing(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{expects a 'lathe.kernel' named @none}}
  %r = lathe.launch @none(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

lathe.kernel @k(%x: tensor<4xf32>) -> (tensor<4xf32>) input_dims [[]] result_dims [[]] {
  lathe.yield %x : tensor<4xf32>
}
func.func @launch_of_too_much(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{expects 1 inputs and 0 sizes, got 2 and 0}}
  %r = lathe.launch @k(%x, %x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

lathe.kernel @k(%x: tensor<4xf32>) -> (tensor<4xf32>) input_dims [[]] result_dims [[]] {
  lathe.yield %x : tensor<4xf32>
}
func.func @launch_on_another_type(%x: tensor<5xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{expects an input of 'tensor<4xf32>', got 'tensor<5xf32>'}}
  %r = lathe.launch @k(%x) : (tensor<5xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

lathe.kernel @k(%x: tensor<4xf32>) -> (tensor<4xf32>) input_dims [[]] result_dims [[]] {
  lathe.yield %x : tensor<4xf32>
}
func.func @launch_for_another_type(%x: tensor<4xf32>) -> tensor<5xf32> {
  // expected-error @+1 {{expects a result of 'tensor<4xf32>', got 'tensor<5xf32>'}}
  %r = lathe.launch @k(%x) : (tensor<4xf32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}

// -----

func.func @grid_c1_arguments(%n: index) {
  // expected-error @+1 {{'lathe.grid' op expects 2 arguments of the body, got 1}}
  %y = lathe.grid [%n] dims [%n] loops [array<i64: 0, -1>] {
  ^bb0(%row: tensor<1x4xf32>):
    lathe.yield %row : tensor<1x4xf32>
  } : tensor<?x4xf32>
  return
}

// -----

func.func @grid_c2_loop_out_of_range(%n: index) {
  // expected-error @+1 {{'lathe.grid' op expects loops in [-1, 1), got 1}}
  %y = lathe.grid [%n] dims [%n] loops [array<i64: 1, -1>] {
  ^bb0(%i: index, %row: tensor<1x4xf32>):
    lathe.yield %row : tensor<1x4xf32>
  } : tensor<?x4xf32>
  return
}

// -----

func.func @grid_c3_part(%n: index) {
  // expected-error @+1 {{'lathe.grid' op expects parts of type 'tensor<1x4xf32>', got 'tensor<2x4xf32>'}}
  %y = lathe.grid [%n] dims [%n] loops [array<i64: 0, -1>] {
  ^bb0(%i: index, %row: tensor<2x4xf32>):
    lathe.yield %row : tensor<2x4xf32>
  } : tensor<?x4xf32>
  return
}

// -----

func.func @grid_c4_sizes(%n: index) {
  // expected-error @+1 {{'lathe.grid' op expects 1 sizes of results, got 0}}
  %y = lathe.grid [%n] loops [array<i64: 0, -1>] {
  ^bb0(%i: index, %row: tensor<1x4xf32>):
    lathe.yield %row : tensor<1x4xf32>
  } : tensor<?x4xf32>
  return
}

// -----

func.func @concat_c1_elements(%a: tensor<2x3xf32>, %b: tensor<2x4xf64>) {
  // expected-error @+1 {{'lathe.concat' op expects parts of elements and rank of 'tensor<2x7xf32>', got 'tensor<2x4xf64>'}}
  %c = lathe.concat %a, %b axis 1 : (tensor<2x3xf32>, tensor<2x4xf64>) -> tensor<2x7xf32>
  return
}

// -----

func.func @concat_c1_other_sizes(%a: tensor<2x3xf32>, %b: tensor<5x4xf32>) {
  // expected-error @+1 {{'lathe.concat' op expects size 2 in dimension 0, got 'tensor<5x4xf32>'}}
  %c = lathe.concat %a, %b axis 1 : (tensor<2x3xf32>, tensor<5x4xf32>) -> tensor<2x7xf32>
  return
}

// -----

func.func @concat_c1_sum(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) {
  // expected-error @+1 {{'lathe.concat' op expects sizes that add up to 8 along the axis, got 7}}
  %c = lathe.concat %a, %b axis 1 : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @concat_axis(%a: tensor<2x3xf32>) {
  // expected-error @+1 {{'lathe.concat' op expects an axis in [0, 2), got 2}}
  %c = lathe.concat %a axis 2 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @concat_no_parts() {
  // expected-error @+1 {{'lathe.concat' op expects parts, got none}}
  %c = "lathe.concat"() <{axis = 0, operandSegmentSizes = array<i32: 0, 0>}> : () -> tensor<2x3xf32>
  return
}

// -----

func.func @concat_dims(%a: tensor<?x3xf32>) {
  // expected-error @+1 {{'lathe.concat' op expects 1 sizes of the result, got 0}}
  %c = lathe.concat %a axis 1 : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return
}
