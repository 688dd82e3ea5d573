// Work in independent tasks, spread over the threads that XLA has.

#ifndef TRYON_JAX_NATIVE_PARALLEL_H_
#define TRYON_JAX_NATIVE_PARALLEL_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "xla/ffi/api/ffi.h"

// Does tasks 0 .. count - 1, this thread and those of the pool that come in time; returns when all are done.
inline void Parallel(xla::ffi::ThreadPool& pool, int64_t count, const std::function<void(int64_t)>& task) {
  struct Shared {
    std::atomic<int64_t> next{0};
    int64_t done = 0;
    std::mutex mutex;
    std::condition_variable all;
  };
  auto shared = std::make_shared<Shared>();
  // A thread that comes late finds no task left and does not touch `task`, which may be gone by then.
  auto work = [shared, count, &task] {
    for (int64_t number; (number = shared->next.fetch_add(1)) < count;) {
      task(number);
      std::lock_guard<std::mutex> lock(shared->mutex);
      if (++shared->done == count) shared->all.notify_all();
    }
  };
  for (int64_t helper = 1; helper < std::min(count, pool.num_threads()); ++helper) pool.Schedule(std::function<void()>(work));
  work();
  std::unique_lock<std::mutex> lock(shared->mutex);
  shared->all.wait(lock, [&] { return shared->done == count; });
}

#endif  // TRYON_JAX_NATIVE_PARALLEL_H_
