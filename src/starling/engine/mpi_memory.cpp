#include "starling/engine/mpi_memory.hpp"

#include <fcntl.h>
#include <mpi.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "starling/engine/arena.hpp"

namespace starling {

/// What stands before a rank's floats, on cache lines of its own.
struct alignas(64) SharedMemory::Header {
  std::atomic<std::uint64_t> announced = 0;
  std::atomic<std::uint64_t> beats = 0;
  std::atomic<bool> claimed = false;
  pid_t process = 0;
};

struct SharedMemory::Windows {
  bool share = true;
  MPI_Comm host = MPI_COMM_NULL;
  MPI_Win window = MPI_WIN_NULL;
  std::optional<Arena> own;      ///< this rank's floats where nobody else reads them
  std::vector<Header*> headers;  ///< of all ranks of the world; null for other hosts
};

SharedMemory::SharedMemory(const MpiWorld& world, std::size_t floats, bool share)
    : world_(world), windows_(std::make_unique<Windows>()) {
  Windows& w = *windows_;
  w.share = share;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, world.rank(), MPI_INFO_NULL, &w.host);
  int ranks = 0;
  MPI_Comm_size(w.host, &ranks);
  // Private memory has huge pages, which windows have not: messages move from it 1.5 times faster.
  if (!share || ranks == 1) w.own.emplace(std::exchange(floats, 0));
  MPI_Info info = MPI_INFO_NULL;
  MPI_Info_create(&info);
  MPI_Info_set(info, "alloc_shared_noncontig", "true");
  void* own = nullptr;
  MPI_Win_allocate_shared(static_cast<MPI_Aint>(sizeof(Header) + floats * sizeof(float)), 1, info,
                          w.host, &own, &w.window);
  MPI_Info_free(&info);
  (new (own) Header)->process = getpid();

  MPI_Group everybody = MPI_GROUP_NULL, here = MPI_GROUP_NULL;
  MPI_Comm_group(MPI_COMM_WORLD, &everybody);
  MPI_Comm_group(w.host, &here);
  w.headers.resize(static_cast<std::size_t>(world.size()));
  for (int rank = 0; rank < world.size(); ++rank) {
    int local = MPI_UNDEFINED;
    MPI_Group_translate_ranks(everybody, 1, &rank, here, &local);
    if (local == MPI_UNDEFINED) continue;
    MPI_Aint size = 0;
    int unit = 0;
    void* base = nullptr;
    MPI_Win_shared_query(w.window, local, &size, &unit, &base);
    w.headers[static_cast<std::size_t>(rank)] = static_cast<Header*>(base);
  }
  MPI_Group_free(&everybody);
  MPI_Group_free(&here);
  MPI_Barrier(w.host);  // everybody's header is there
  heart_ = std::jthread([header = header_of(world.rank())](const std::stop_token& stop) {
    for (; !stop.stop_requested(); std::this_thread::sleep_for(std::chrono::milliseconds(20)))
      ++header->beats;
  });
}

SharedMemory::~SharedMemory() {
  if (std::uncaught_exceptions() > 0) claim_own();
  heart_ = {};
  if (std::uncaught_exceptions() > 0) return;  // the other ranks would not come to free it
  MPI_Win_free(&windows_->window);
  MPI_Comm_free(&windows_->host);
}

SharedMemory::Header* SharedMemory::header_of(int rank) const {
  return windows_->headers[static_cast<std::size_t>(rank)];
}

bool SharedMemory::knows(int rank) const { return header_of(rank) != nullptr; }

bool SharedMemory::reaches(int rank) const {
  return rank == world_.rank() || (windows_->share && knows(rank));
}

float* SharedMemory::of(int rank) const {
  return windows_->own ? windows_->own->data() : reinterpret_cast<float*>(header_of(rank) + 1);
}

void SharedMemory::announce(std::uint64_t number) {
  header_of(world_.rank())->announced.store(number, std::memory_order_release);
}

std::uint64_t SharedMemory::announced_by(int rank) const {
  return header_of(rank)->announced.load(std::memory_order_acquire);
}

/// Only calls that a signal handler may make.
bool SharedMemory::is_alive(int rank) const {
  const pid_t process = header_of(rank)->process;
  if (kill(process, 0) != 0) return errno != ESRCH;
  // It may be dead and not yet buried by the launcher: "PID (NAME) STATE ...".
  std::array<char, 32> path{"/proc/"};
  char* const end = std::to_chars(path.data() + 6, path.data() + 20, process).ptr;
  std::memcpy(end, "/stat", 6);
  const int file = open(path.data(), O_RDONLY);
  if (file < 0) return true;
  std::array<char, 256> text{};
  const auto length = read(file, text.data(), text.size());
  close(file);
  const std::string_view stat(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  const std::size_t name_end = stat.rfind(") ");
  return name_end == std::string_view::npos || stat[name_end + 2] != 'Z';
}

std::uint64_t SharedMemory::beats_of(int rank) const { return header_of(rank)->beats; }

bool SharedMemory::claim(int rank) const { return !header_of(rank)->claimed.exchange(true); }

}  // namespace starling
