/// What a run leaves behind: metrics.csv, the run's folder, safetensors.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "starling/record/metrics_file.hpp"
#include "starling/record/run_folder.hpp"
#include "starling/record/safetensors.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

namespace fs = std::filesystem;

const std::string metrics_header =
    "method,seed,round,epoch,seconds,bytes_sent,minibatch_loss,objective,test_accuracy,"
    "node_accuracy_mean,node_accuracy_min,consensus_error,gradient_norm,stationarity,"
    "staleness_mean,staleness_max\n";

/// What one appended row looks like, without its end of line.
std::string row_of(const std::string& method, std::uint64_t seed, const Metrics& metrics) {
  const TempFolder folder;
  const fs::path path = folder.path() / "metrics.csv";
  MetricsFile(path).append(method, seed, metrics);
  const std::string text = stored(path);
  return text.substr(metrics_header.size(), text.size() - metrics_header.size() - 1);
}

TEST(MetricsFileTest, BeginsWithTheHeader) {
  const TempFolder folder;
  const fs::path path = folder.path() / "metrics.csv";
  const MetricsFile file(path);
  EXPECT_EQ(stored(path), metrics_header);
}

TEST(MetricsFileTest, FlushesEveryRow) {
  const TempFolder folder;
  const fs::path path = folder.path() / "metrics.csv";
  MetricsFile file(path);
  file.append("dgd", 1, {.round = 0});
  const std::string first = metrics_header + "dgd,1,0,0,0.000000,0,,,,,,,,,,\n";
  EXPECT_EQ(stored(path), first);
  file.append("dgd", 1, {.round = 8});
  EXPECT_EQ(stored(path), first + "dgd,1,8,0,0.000000,0,,,,,,,,,,\n");
}

TEST(MetricsFileTest, LeavesUnknownValuesEmpty) {
  EXPECT_EQ(
      row_of(
          "dgd", 7,
          {.round = 5, .epoch = 0.5, .seconds = 1.25, .bytes_sent = 640, .consensus_error = 0.1}),
      "dgd,7,5,0.5,1.250000,640,,,,,,0.1,,,,");
}

TEST(MetricsFileTest, WritesEveryColumnInItsPlace) {
  EXPECT_EQ(
      row_of("amsgrad", 18446744073709551615u,
             {.round = 10,
              .epoch = 2,
              .seconds = 0.0000019,
              .bytes_sent = 12345678901,
              .minibatch_loss = 3,
              .objective = 4.5,
              .test_accuracy = 0.75,
              .node_accuracy_mean = 0.5,
              .node_accuracy_min = 0.25,
              .consensus_error = 1e-20,
              .gradient_norm = 6,
              .stationarity = 7,
              .staleness_mean = 8,
              .staleness_most = 9}),
      "amsgrad,18446744073709551615,10,2,0.000002,12345678901,3,4.5,0.75,0.5,0.25,1e-20,6,7,8,9");
}

TEST(MetricsFileTest, NumbersReadBackToTheSameBits) {
  for (const double number : {1.0 / 3, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -1e-7}) {
    const std::string row = row_of("m", 1, {.staleness_most = number});
    EXPECT_EQ(std::strtod(row.c_str() + row.rfind(',') + 1, nullptr), number) << row;
  }
  EXPECT_EQ(row_of("m", 1, {.objective = 0.1}), "m,1,0,0,0.000000,0,,0.1,,,,,,,,");
}

TEST(MetricsFileTest, QuotesNamesThatNeedIt) {
  const auto begins = [](const std::string& method, const std::string& quoted) {
    return row_of(method, 1, {}).starts_with(quoted + ",1,0,");
  };
  EXPECT_TRUE(begins("two words", "two words"));
  EXPECT_TRUE(begins("a,b", "\"a,b\""));
  EXPECT_TRUE(begins("say \"a\"", "\"say \"\"a\"\"\""));
  EXPECT_TRUE(begins("a\nb", "\"a\nb\""));
}

TEST(MetricsFileTest, SaysWhenItCannotBeWritten) {
  const TempFolder folder;
  EXPECT_THROW(MetricsFile{folder.path() / "no" / "metrics.csv"}, RunError);
  if (fs::exists("/dev/full")) {
    EXPECT_THROW(MetricsFile{"/dev/full"}, RunError);
  }
}

TEST(RunFolderTest, IsCreatedWithItsParents) {
  const TempFolder folder;
  create_run_folder(folder.path() / "a" / "b");
  EXPECT_TRUE(fs::is_directory(folder.path() / "a" / "b"));
}

TEST(RunFolderTest, AnEmptyFolderWillDo) {
  const TempFolder folder;
  EXPECT_NO_THROW(create_run_folder(folder.path()));
}

TEST(RunFolderTest, AnEarlierRunIsKept) {
  const TempFolder folder;
  folder.write("experiment.toml", "seed = 1\n");
  const std::string error = user_error_of([&] { create_run_folder(folder.path()); });
  EXPECT_TRUE(says(error, "already holds a run"));
  EXPECT_TRUE(says(error, folder.path().string()));
  EXPECT_EQ(stored(folder.path() / "experiment.toml"), "seed = 1\n");
}

TEST(RunFolderTest, AnythingElseThereIsKept) {
  const TempFolder folder;
  folder.write("letter.txt", "dear reader");
  EXPECT_TRUE(says(user_error_of([&] { create_run_folder(folder.path()); }), "is not empty"));
  const fs::path letter = folder.path() / "letter.txt";
  EXPECT_TRUE(says(user_error_of([&] { create_run_folder(letter); }), "is a file"));
  EXPECT_TRUE(says(user_error_of([&] { create_run_folder(letter / "run"); }), "cannot be created"));
  EXPECT_EQ(stored(letter), "dear reader");
}

/// The working folder, restored at the end.
class InFolder {
 public:
  explicit InFolder(const fs::path& folder) : before_(fs::current_path()) {
    fs::current_path(folder);
  }
  ~InFolder() { fs::current_path(before_); }
  InFolder(const InFolder&) = delete;
  InFolder& operator=(const InFolder&) = delete;

 private:
  fs::path before_;
};

TEST(RunFolderTest, FreeNamesAreNumberedFromTwo) {
  const TempFolder folder;
  const InFolder here(folder.path());
  EXPECT_EQ(free_run_folder("ring").string(), "runs/ring");
  fs::create_directories("runs/ring");
  EXPECT_EQ(free_run_folder("ring").string(), "runs/ring-2");
  fs::create_directories("runs/ring-3");
  EXPECT_EQ(free_run_folder("ring").string(), "runs/ring-2");
  fs::create_directories("runs/ring-2");
  EXPECT_EQ(free_run_folder("ring").string(), "runs/ring-4");
  EXPECT_EQ(free_run_folder("star").string(), "runs/star");
}

TEST(RunFolderTest, AskingForAFreeNameCreatesNothing) {
  const TempFolder folder;
  const InFolder here(folder.path());
  free_run_folder("ring");
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  return names;
}

TEST(WriteWholeFileTest, WritesEveryByteAndLeavesNothingElse) {
  const TempFolder folder;
  const fs::path path = folder.path() / "file";
  const std::string content("a\0b\n\xff", 5);
  write_whole_file(path, content);
  EXPECT_EQ(stored(path), content);
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"file"});
}

TEST(WriteWholeFileTest, ReplacesALongerFile) {
  const TempFolder folder;
  const fs::path path = folder.write("file", std::string(10'000, 'x'));
  write_whole_file(path, "short");
  EXPECT_EQ(stored(path), "short");
  write_whole_file(path, "");
  EXPECT_EQ(stored(path), "");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"file"});
}

TEST(WriteWholeFileTest, IgnoresWhatABrokenRunLeft) {
  const TempFolder folder;
  folder.write("file.new", std::string(100, 'x'));
  write_whole_file(folder.path() / "file", "whole");
  EXPECT_EQ(stored(folder.path() / "file"), "whole");
}

TEST(WriteWholeFileTest, SaysWhenItCannotBeWritten) {
  const TempFolder folder;
  EXPECT_THROW(write_whole_file(folder.path() / "no" / "file", "x"), RunError);
  fs::create_directory(folder.path() / "taken");
  EXPECT_THROW(write_whole_file(folder.path() / "taken", "x"), RunError);
}

/// An independent reading of the format.
struct ParsedSafetensors {
  nlohmann::ordered_json header;
  std::string data;

  explicit ParsedSafetensors(const std::string& bytes) {
    std::uint64_t length = 0;
    for (int k = 7; k >= 0; --k) length = length << 8 | static_cast<std::uint8_t>(bytes.at(k));
    header = nlohmann::ordered_json::parse(bytes.substr(8, length));
    data = bytes.substr(8 + length);
  }
  std::vector<float> values(const std::string& name) const {
    const std::size_t begin = header.at(name).at("data_offsets").at(0).get<std::size_t>();
    const std::size_t end = header.at(name).at("data_offsets").at(1).get<std::size_t>();
    std::vector<float> numbers((end - begin) / sizeof(float));
    std::memcpy(numbers.data(), data.substr(begin, end - begin).data(), end - begin);
    return numbers;
  }
};

/// A tensor over rows that live elsewhere, `stride` floats apart.
TensorRows tensor_of(std::string name, const std::vector<float>& floats, std::size_t rows,
                     std::size_t columns, std::size_t stride) {
  return {std::move(name), {rows, columns}, rows, [&floats, columns, stride](std::size_t row) {
            return std::span<const float>(floats).subspan(row * stride, columns);
          }};
}

std::string to_safetensors(const std::vector<TensorRows>& tensors) {
  std::string bytes;
  write_safetensors(tensors, [&](std::string_view piece) { bytes += piece; });
  return bytes;
}

TEST(SafetensorsTest, AnIndependentReaderFindsEveryValue) {
  const std::vector<float> x{1, 2, 3, -1, 4, 5, 6, -1}, u{0.5f};
  const ParsedSafetensors parsed(
      to_safetensors({tensor_of("x", x, 2, 3, 4), tensor_of("u", u, 1, 1, 1)}));
  ASSERT_EQ(parsed.header.size(), 2u);
  EXPECT_EQ(parsed.header["x"].dump(), R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,24]})");
  EXPECT_EQ(parsed.header["u"].dump(), R"({"dtype":"F32","shape":[1,1],"data_offsets":[24,28]})");
  EXPECT_EQ(parsed.data.size(), 28u);
  EXPECT_EQ(parsed.values("x"), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(parsed.values("u"), u);
}

TEST(SafetensorsTest, TheDataBeginsOnAMultipleOfEight) {
  const std::vector<float> one{1};
  for (std::size_t length = 1; length <= 8; ++length) {
    const std::string bytes = to_safetensors({tensor_of(std::string(length, 'n'), one, 1, 1, 1)});
    EXPECT_EQ((bytes.size() - sizeof(float)) % 8, 0u) << length;
    EXPECT_EQ(bytes[8], '{');
    EXPECT_EQ(ParsedSafetensors(bytes).values(std::string(length, 'n')), one);
  }
}

TEST(SafetensorsTest, FloatsKeepTheirBits) {
  const std::vector<float> odd{-0.0f, std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::denorm_min(), 0.1f,
                               std::numeric_limits<float>::quiet_NaN()};
  const ParsedSafetensors parsed(to_safetensors({tensor_of("x", odd, 1, 5, 5)}));
  const std::vector<float> read = parsed.values("x");
  ASSERT_EQ(read.size(), odd.size());
  for (std::size_t k = 0; k < odd.size(); ++k)
    EXPECT_EQ(std::bit_cast<std::uint32_t>(read[k]), std::bit_cast<std::uint32_t>(odd[k])) << k;
}

TEST(SafetensorsTest, ShapesMayHaveAnyNumberOfDimensions) {
  const std::vector<float> weights{1, 2, 3, 4, 5, 6, 7, 8};
  TensorRows tensor = tensor_of("conv", weights, 2, 4, 4);
  tensor.shape = {2, 1, 2, 2};
  const ParsedSafetensors parsed(to_safetensors({tensor}));
  EXPECT_EQ(parsed.header["conv"]["shape"].dump(), "[2,1,2,2]");
  EXPECT_EQ(parsed.values("conv"), weights);
}

}  // namespace
}  // namespace starling
