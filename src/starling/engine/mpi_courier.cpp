#include "starling/engine/mpi_courier.hpp"

#include <mpi.h>

#include <algorithm>
#include <chrono>

#include "starling/engine/silence.hpp"

namespace starling {
namespace {

/// Requests that are under way, and what each is for.
struct Requests {
  std::vector<MPI_Request> handles;
  std::vector<std::size_t> chunks;  ///< of each request; `no_chunk` for what is sent
  std::vector<int> ranks;
  static constexpr std::size_t no_chunk = ~std::size_t{0};

  /// Columns first ... first + count - 1 of all rows of a parcel. Long ones travel row by row: MPI
  /// moves contiguous memory without a copy of its own. Short ones travel together.
  void add(const Parcel& parcel, std::size_t first, std::size_t count, std::size_t chunk) {
    if (count >= long_row) {
      for (float* row : parcel.rows)
        add(parcel, row + first, static_cast<int>(count), MPI_FLOAT, chunk);
      return;
    }
    std::vector<MPI_Aint> places;
    for (float* row : parcel.rows) MPI_Get_address(row + first, &places.emplace_back());
    MPI_Datatype type = MPI_DATATYPE_NULL;
    MPI_Type_create_hindexed_block(static_cast<int>(places.size()), static_cast<int>(count),
                                   places.data(), MPI_FLOAT, &type);
    MPI_Type_commit(&type);
    add(parcel, MPI_BOTTOM, 1, type, chunk);
    MPI_Type_free(&type);  // the request keeps what it needs
  }

 private:
  static constexpr std::size_t long_row = 8 * 1024;

  void add(const Parcel& parcel, void* data, int count, MPI_Datatype type, std::size_t chunk) {
    MPI_Request& request = handles.emplace_back();
    // Messages between two ranks keep their order, so the variable is tag enough for all chunks.
    const int tag = 100 + parcel.variable;
    if (parcel.is_sent)
      MPI_Isend(data, count, type, parcel.rank, tag, MPI_COMM_WORLD, &request);
    else
      MPI_Irecv(data, count, type, parcel.rank, tag, MPI_COMM_WORLD, &request);
    chunks.push_back(parcel.is_sent ? no_chunk : chunk);
    ranks.push_back(parcel.rank);
  }
};

}  // namespace

Courier::Courier(double timeout)
    : timeout_(timeout), thread_([this](const std::stop_token& stop) { work(stop); }) {}

Courier::~Courier() {
  thread_.request_stop();
  wake_.notify_all();
}

void Courier::start(std::vector<Parcel> parcels, std::size_t dimension) {
  finish();
  const std::lock_guard lock(mutex_);
  parcels_ = std::move(parcels);
  dimension_ = dimension;
  has_work_ = true;
  arrived_.store(0, std::memory_order_relaxed);
  wake_.notify_all();
}

void Courier::wait_for(std::size_t columns) const {
  Patience patience;
  while (arrived_.load(std::memory_order_acquire) < columns) {
    const int rank = silent_.load(std::memory_order_acquire);
    if (rank >= 0) throw SilentRank{rank};
    patience.wait();
  }
}

void Courier::work(const std::stop_token& stop) {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return has_work_; })) return;
      has_work_ = false;
    }
    deliver(stop);
  }
}

void Courier::deliver(const std::stop_token& stop) {
  using Clock = std::chrono::steady_clock;
  const std::size_t chunks = (dimension_ + chunk - 1) / chunk;
  std::vector<std::size_t> missing(chunks, 0);  // messages of each chunk
  Requests requests;
  for (std::size_t c = 0; c < chunks; ++c)
    for (const Parcel& parcel : parcels_) {
      requests.add(parcel, c * chunk, std::min(chunk, dimension_ - c * chunk), c);
    }
  for (const std::size_t c : requests.chunks)
    if (c != Requests::no_chunk) ++missing[c];
  std::vector<int> done(requests.handles.size());
  std::size_t left = done.size(), complete = 0;
  Patience patience;
  auto progress = Clock::now();
  while (left > 0 && !stop.stop_requested()) {
    int count = 0;
    MPI_Testsome(static_cast<int>(requests.handles.size()), requests.handles.data(), &count,
                 done.data(), MPI_STATUSES_IGNORE);
    for (int k = 0; k < count; ++k) {
      const std::size_t c =
          requests.chunks[static_cast<std::size_t>(done[static_cast<std::size_t>(k)])];
      if (c != Requests::no_chunk) --missing[c];
    }
    left -= static_cast<std::size_t>(count);
    while (complete < chunks && missing[complete] == 0) ++complete;
    arrived_.store(std::min(complete * chunk, dimension_), std::memory_order_release);
    if (count > 0) {
      progress = Clock::now();
      patience = {};
    } else if (std::chrono::duration<double>(Clock::now() - progress).count() > timeout_) {
      const auto open = std::ranges::find_if(
          requests.handles, [](MPI_Request request) { return request != MPI_REQUEST_NULL; });
      silent_ = requests.ranks[static_cast<std::size_t>(open - requests.handles.begin())];
      return;
    } else {
      patience.wait();
    }
  }
  arrived_.store(all_, std::memory_order_release);
}

}  // namespace starling
