// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The page of a report: tables, and drawings as SVG within the page.

#include "Report.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace lathe::driver;
using namespace llvm;

static constexpr StringLiteral head = R"(<!DOCTYPE html>
<html lang="en"><meta charset="utf-8">
<style>
body{font:14px/1.45 sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#222}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #ccc}
table{border-collapse:collapse;width:100%}td,th{padding:2px 8px;text-align:right}
td.t,th.t{text-align:left}tr:nth-child(even){background:#f5f5f5}
svg{width:100%;height:auto}svg text{font:10px sans-serif;fill:#444}
.bar{background:#4878a8;height:9px;display:inline-block}
.nodes{color:#777;font-size:12px}p.note{color:#777}
</style>
)";

static std::string escape(StringRef text) {
  std::string escaped;
  raw_string_ostream os(escaped);
  printHTMLEscaped(text, os);
  return escaped;
}

/// A number with three digits and the unit that suits it.
static std::string scale(double value, StringRef unit) {
  static constexpr const char *prefixes[] = {"", "k", "M", "G", "T"};
  unsigned i = 0;
  while (std::abs(value) >= 1000 && i < 4) {
    value /= 1000;
    ++i;
  }
  std::string text;
  raw_string_ostream(text) << format("%.3g ", value) << prefixes[i] << unit;
  return text;
}

static format_object<double> milliseconds(double nanoseconds) {
  return format("%.4f", nanoseconds * 1e-6);
}

static void writeSummary(const Report &report, raw_ostream &os) {
  os << "<title>" << escape(report.model) << "</title><h1>"
     << escape(report.model) << "</h1><p>" << escape(report.target) << ", "
     << report.threads << " thread" << (report.threads == 1 ? "" : "s")
     << "; measured peaks: " << scale(report.peakFlops * 1e9, "FLOP/s")
     << " (float32 FMA), " << scale(report.peakBytes * 1e9, "B/s")
     << " from memory. Weights: " << scale(report.weightsBytes, "B")
     << ".<br>Inputs: ";
  for (auto [i, input] : enumerate(report.inputs))
    os << (i ? ", " : "") << escape(input);
  os << "</p><h2>Time</h2><table><tr><th class=t>variant<th>median "
        "ms<th>min<th>p90<th>ratio<th>launches<th>FLOP<th>moved<th>of "
        "peak<th>arena<th>at least live\n";
  const Report::Variant &first = report.variants.front();
  for (const Report::Variant &variant : report.variants)
    os << "<tr><td class=t>" << escape(variant.name) << "<td>"
       << milliseconds(variant.time.median) << "<td>"
       << milliseconds(variant.time.min) << "<td>"
       << milliseconds(variant.time.p90)
       << format("<td>%.2f×<td>", variant.time.median / first.time.median)
       << variant.numLaunches << "<td>" << scale(variant.flops, "FLOP")
       << "<td>" << scale(variant.bytes, "B")
       << format("<td>%.1f%%<td>", 100 * static_cast<double>(variant.flops) /
                                       variant.time.median / report.peakFlops)
       << scale(variant.arenaBytes, "B") << "<td>"
       << scale(variant.arenaBound, "B") << '\n';
  os << "</table><p class=note>All variants ran in turn in one process; their "
        "outputs agree.</p>\n";
}

/// The launches in order, with arcs from each to those that read its results.
static void writeLaunches(const Report &report, raw_ostream &os) {
  double total = 0, slowest = 1;
  for (const Report::Launch &launch : report.launches) {
    total += launch.nanoseconds;
    slowest = std::max(slowest, launch.nanoseconds);
  }
  os << "<h2>Kernels</h2><table><tr><th>#<th class=t>kernel<th class=t>nodes"
        "<th>FLOP<th>moved<th>µs<th>FLOP/s<th class=t style='width:22%'>share "
        "of the time\n";
  for (auto [i, launch] : enumerate(report.launches)) {
    double time = std::max(launch.nanoseconds, 1.0);
    os << "<tr><td>" << i << "<td class=t>" << escape(launch.kernel)
       << "<td class='t nodes'>" << escape(launch.nodes) << "<td>"
       << scale(launch.flops, "") << "<td>" << scale(launch.bytes, "B")
       << format("<td>%.2f<td>", time * 1e-3)
       << scale(static_cast<double>(launch.flops) / time * 1e9, "")
       << "<td class=t>"
       << format("<span class=bar style='width:%.1f%%'></span> %.1f%%\n",
                 time / slowest * 75, time / std::max(total, 1.0) * 100);
  }
  os << "</table><h2>Graph by kernel</h2>\n";
  constexpr int row = 14, left = 260;
  os << "<svg viewBox='0 0 1000 " << row * report.launches.size() + row << "'>";
  auto y = [](size_t i) { return 10 + static_cast<int>(i) * row; };
  for (auto [i, launch] : enumerate(report.launches)) {
    for (size_t source : launch.sources) {
      int reach = std::min<int>(left - 10, 8 + 5 * (i - source));
      os << "<path fill='none' stroke='#4878a8' opacity='.6' d='M" << left
         << ' ' << y(source) << " C" << left - reach << ' ' << y(source) << ' '
         << left - reach << ' ' << y(i) << ' ' << left << ' ' << y(i) << "'/>";
    }
    os << "<circle r='3' fill='#4878a8' cx='" << left << "' cy='" << y(i)
       << "'/><text x='" << left + 8 << "' y='" << y(i) + 3 << "'>" << i << ' '
       << escape(launch.kernel) << ": "
       << escape(StringRef(launch.nodes).take_front(110)) << "</text>\n";
  }
  os << "</svg>\n";
}

static void writeMemory(const Report &report, raw_ostream &os) {
  os << "<h2>Memory plan</h2>";
  int64_t size = 1, end = 1;
  for (const Report::Buffer &buffer : report.buffers) {
    size = std::max(size, buffer.offset + buffer.bytes);
    end = std::max(end, buffer.last + 1);
  }
  os << "<p class=note>Across: the program's steps. Down: the "
     << scale(size, "B")
     << " of the arena. One box for each value, as long as it lives.</p>"
        "<svg viewBox='0 0 1000 320'><rect width='1000' height='320' "
        "fill='#f5f5f5'/>";
  for (auto [i, buffer] : enumerate(report.buffers)) {
    double x = 1000.0 * buffer.first / end,
           width = 1000.0 * (buffer.last + 1 - buffer.first) / end,
           y = 320.0 * buffer.offset / size,
           height = 320.0 * buffer.bytes / size;
    os << format("<rect x='%.1f' y='%.1f' width='%.1f' ", x, y, width)
       << format("height='%.1f' fill='hsl(%d,45%%,62%%)' stroke='#fff' "
                 "stroke-width='.5'>",
                 std::max(height, .5), static_cast<int>(i * 47 % 360))
       << "<title>" << scale(buffer.bytes, "B") << " at " << buffer.offset
       << ", steps " << buffer.first << " to " << buffer.last
       << "</title></rect>\n";
  }
  os << "</svg>\n";
}

static void writeRoofline(const Report &report, raw_ostream &os) {
  // Two axes of powers of ten: FLOP per byte, and GFLOP/s.
  constexpr double left = 60, right = 980, top = 10, bottom = 330;
  double lowX = -2, highX = 3, highY = std::ceil(std::log10(report.peakFlops)),
         lowY = highY - 5;
  auto x = [&](double intensity) {
    double at = (std::log10(std::max(intensity, 1e-9)) - lowX) / (highX - lowX);
    return left + (right - left) * std::clamp(at, 0.0, 1.0);
  };
  auto y = [&](double rate) {
    double at = (std::log10(std::max(rate, 1e-9)) - lowY) / (highY - lowY);
    return bottom - (bottom - top) * std::clamp(at, 0.0, 1.0);
  };
  os << "<h2>Roofline</h2><p class=note>Each dot is a launch, the larger the "
        "longer it takes. Values that stay in a cache can be above the slope, "
        "which is that of memory.</p><svg viewBox='0 0 1000 360'>";
  for (double power = lowX; power <= highX; ++power)
    os << format("<path stroke='#ddd' d='M%.1f %.1f V%.1f'/>",
                 x(std::pow(10, power)), top, bottom)
       << format("<text x='%.1f' y='345'>%g FLOP/B</text>",
                 x(std::pow(10, power)) - 20, std::pow(10, power));
  for (double power = lowY; power <= highY; ++power)
    os << format("<path stroke='#ddd' d='M%.1f %.1f H%.1f'/>", left,
                 y(std::pow(10, power)), right)
       << format("<text x='0' y='%.1f'>%g GFLOP/s</text>",
                 y(std::pow(10, power)) + 3, std::pow(10, power));
  double ridge = report.peakFlops / report.peakBytes;
  os << format("<path fill='none' stroke='#a04040' stroke-width='2' d='M%.1f "
               "%.1f ",
               x(std::pow(10, lowX)), y(std::pow(10, lowX) * report.peakBytes))
     << format("L%.1f %.1f H%.1f'/>\n", x(ridge), y(report.peakFlops), right);
  double slowest = 1;
  for (const Report::Launch &launch : report.launches)
    slowest = std::max(slowest, launch.nanoseconds);
  for (auto [i, launch] : enumerate(report.launches)) {
    double time = std::max(launch.nanoseconds, 1.0);
    if (launch.flops <= 0 || launch.bytes <= 0)
      continue;
    double rate = static_cast<double>(launch.flops) / time;
    os << format("<circle cx='%.1f' cy='%.1f' r='%.1f' fill='#4878a8' "
                 "opacity='.6'>",
                 x(static_cast<double>(launch.flops) /
                   static_cast<double>(launch.bytes)),
                 y(rate), 2 + 8 * std::sqrt(time / slowest))
       << "<title>" << i << ' ' << escape(launch.kernel) << ": "
       << scale(rate * 1e9, "FLOP/s") << ", " << escape(launch.nodes)
       << "</title></circle>\n";
  }
  os << "</svg>\n";
}

void lathe::driver::writePage(const Report &report, raw_ostream &os) {
  os << head;
  writeSummary(report, os);
  writeRoofline(report, os);
  writeMemory(report, os);
  writeLaunches(report, os);
  os << "</html>\n";
}
