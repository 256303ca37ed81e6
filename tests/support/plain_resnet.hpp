/// ResNet-18 for small images in plain loops, in double, written from its description: what the
/// network built on libtorch is compared with.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace starling {

/// Feature maps of one image: values[(row * columns + column) * channels + channel].
struct PlainMaps {
  std::size_t rows = 0, columns = 0, channels = 0;
  std::vector<double> values;
};

/// Mean and variance of each channel, of one BatchNorm layer.
struct PlainStatistics {
  std::vector<double> mean, variance;
};

class PlainResnet {
 public:
  /// `x` holds the parameters as starling does, and may change between calls.
  explicit PlainResnet(const std::vector<double>& x) : x_(x) {}

  /// Scores of ten classes, one row an image. BatchNorm layers use the images' own statistics, or
  /// `constants`, one a layer, where there are any.
  std::vector<std::vector<double>> scores(const std::vector<PlainMaps>& images,
                                          const std::vector<PlainStatistics>& constants = {}) {
    next_ = x_.data();
    constants_ = constants;
    seen_.clear();
    Batch maps = rectified(convolve(images, 64, 3, 1));
    std::size_t channels = 64;
    for (int stage = 0; stage < 4; ++stage, channels *= 2) {
      maps = block(maps, channels, stage > 0 ? 2 : 1);
      maps = block(maps, channels, 1);
    }
    return classify(maps);
  }

  /// Mean and unbiased variance of each BatchNorm layer's input in the last call of `scores`.
  const std::vector<PlainStatistics>& seen() const { return seen_; }

 private:
  using Batch = std::vector<PlainMaps>;

  static Batch rectified(Batch maps) {
    for (PlainMaps& image : maps)
      for (double& value : image.values) value = value > 0 ? value : 0;
    return maps;
  }

  /// Two convolutions; what goes around them is convolved as well where the size is halved.
  Batch block(const Batch& in, std::size_t channels, std::size_t stride) {
    Batch out = convolve(rectified(convolve(in, channels, 3, stride)), channels, 3, 1);
    const Batch around = stride == 1 ? in : convolve(in, channels, 1, stride);
    for (std::size_t k = 0; k < out.size(); ++k)
      for (std::size_t v = 0; v < out[k].values.size(); ++v)
        out[k].values[v] += around[k].values[v];
    return rectified(out);
  }

  /// A convolution padded with zeros by half its width, and BatchNorm.
  Batch convolve(const Batch& in, std::size_t channels, std::size_t width, std::size_t stride) {
    Batch out;
    for (const PlainMaps& image : in) out.push_back(convolved(image, channels, width, stride));
    next_ += channels * width * width * in[0].channels;
    normalise(out);
    return out;
  }

  PlainMaps convolved(const PlainMaps& in, std::size_t channels, std::size_t width,
                      std::size_t stride) const {
    PlainMaps out{
        (in.rows + stride - 1) / stride, (in.columns + stride - 1) / stride, channels, {}};
    for (std::size_t r = 0; r < out.rows; ++r)
      for (std::size_t c = 0; c < out.columns; ++c)
        for (std::size_t o = 0; o < channels; ++o)
          out.values.push_back(
              window(in, r * stride, c * stride, next_ + o * width * width * in.channels, width));
    return out;
  }

  /// The sum of kernel times the maps around (row, column).
  static double window(const PlainMaps& in, std::size_t row, std::size_t column,
                       const double* kernel, std::size_t width) {
    const std::size_t half = width / 2;
    double sum = 0;
    for (std::size_t u = 0; u < width; ++u)
      for (std::size_t v = 0; v < width; ++v) {
        const std::size_t r = row + u, c = column + v;  // one half more than in the maps
        if (r < half || r - half >= in.rows || c < half || c - half >= in.columns) continue;
        const double* pixel = &in.values[((r - half) * in.columns + c - half) * in.channels];
        const double* factors = kernel + (u * width + v) * in.channels;
        for (std::size_t i = 0; i < in.channels; ++i) sum += factors[i] * pixel[i];
      }
    return sum;
  }

  /// BatchNorm with the next weights and biases.
  void normalise(Batch& maps) {
    const std::size_t channels = maps[0].channels;
    PlainStatistics own = statistics(maps);
    const auto pixels = static_cast<double>(maps.size() * maps[0].rows * maps[0].columns);
    const PlainStatistics& used = constants_.empty() ? own : constants_[seen_.size()];
    for (PlainMaps& image : maps)
      for (std::size_t v = 0; v < image.values.size(); ++v) {
        const std::size_t c = v % channels;
        const double deviation = std::sqrt(used.variance[c] + 1e-5);
        image.values[v] =
            (image.values[v] - used.mean[c]) / deviation * next_[c] + next_[channels + c];
      }
    next_ += 2 * channels;
    for (double& variance : own.variance) variance *= pixels / (pixels - 1);
    seen_.push_back(own);
  }

  /// With the biased variance.
  static PlainStatistics statistics(const Batch& maps) {
    const std::size_t channels = maps[0].channels;
    PlainStatistics found{std::vector<double>(channels), std::vector<double>(channels)};
    const auto pixels = static_cast<double>(maps.size() * maps[0].rows * maps[0].columns);
    for (const PlainMaps& image : maps)
      for (std::size_t v = 0; v < image.values.size(); ++v)
        found.mean[v % channels] += image.values[v] / pixels;
    for (const PlainMaps& image : maps)
      for (std::size_t v = 0; v < image.values.size(); ++v) {
        const double difference = image.values[v] - found.mean[v % channels];
        found.variance[v % channels] += difference * difference / pixels;
      }
    return found;
  }

  /// The mean over pixels, and a fully connected layer.
  std::vector<std::vector<double>> classify(const Batch& maps) const {
    const std::size_t channels = maps[0].channels;
    std::vector<std::vector<double>> rows;
    for (const PlainMaps& image : maps) {
      const auto pixels = static_cast<double>(image.rows * image.columns);
      std::vector<double>& row =
          rows.emplace_back(next_ + 10 * channels, next_ + 10 * channels + 10);
      for (std::size_t k = 0; k < 10; ++k)
        for (std::size_t v = 0; v < image.values.size(); ++v)
          row[k] += next_[k * channels + v % channels] * image.values[v] / pixels;
    }
    return rows;
  }

  const std::vector<double>& x_;
  const double* next_ = nullptr;
  std::vector<PlainStatistics> constants_, seen_;
};

}  // namespace starling
