#include "starling/engine/mpi_last_words.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

namespace starling {
namespace {

std::atomic<const LastWords*> speaker = nullptr;

/// Safe in a signal handler, as is all that it is used for.
void write_text(std::string_view text) {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

LastWords::LastWords(const SharedMemory& shared, std::vector<std::string> names)
    : shared_(shared), names_(std::move(names)) {
  speaker = this;
  struct sigaction action {};
  action.sa_handler = &LastWords::speak;
  sigaction(SIGTERM, &action, nullptr);
}

LastWords::~LastWords() {
  if (speaker) signal(SIGTERM, SIG_DFL);
  speaker = nullptr;
}

void LastWords::leave_it_to_us() const {
  signal(SIGTERM, SIG_IGN);
  speaker = nullptr;
  shared_.claim_own();
}

void LastWords::speak(int) {
  const LastWords* words = speaker;
  if (!words) return;
  words->shared_.claim_own();
  words->tell();
  _exit(1);
}

void LastWords::tell() const {
  for (int rank = 0; rank < static_cast<int>(names_.size()); ++rank) {
    if (!shared_.knows(rank) || shared_.is_alive(rank) || !shared_.claim(rank)) continue;
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), round_.load()).ptr;
    write_text("starling: ");
    write_text(names_[static_cast<std::size_t>(rank)]);
    write_text(" died in round ");
    write_text({digits.data(), static_cast<std::size_t>(end - digits.data())});
    write_text("\n");
  }
}

}  // namespace starling
