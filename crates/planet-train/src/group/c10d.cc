// libtorch's process groups behind a C interface, for c10d.rs beside it.
//
// Every function returns null, or what went wrong as text that `planet_text_free` frees: no
// exception leaves this file. Tensors come as tch holds them, as pointers to at::Tensor.

#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

// libtorch carries gloo and not gloo's headers. Of gloo's classes torch's own header holds nothing
// but pointers, and one base that nobody makes an instance of here.
namespace gloo {
class Context {
 public:
  void setTimeout(std::chrono::milliseconds);
};
namespace transport {
class Device;
class UnboundBuffer {
 public:
  virtual ~UnboundBuffer() = default;
};
}  // namespace transport
namespace rendezvous {
class Store {
 public:
  virtual ~Store() = default;
  virtual void set(const std::string&, const std::vector<char>&) = 0;
  virtual std::vector<char> get(const std::string&) = 0;
  virtual void wait(const std::vector<std::string>&) = 0;
  virtual void wait(const std::vector<std::string>&, const std::chrono::milliseconds&) = 0;
};
}  // namespace rendezvous
}  // namespace gloo

#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/csrc/autograd/custom_function.h>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace {

using Milliseconds = std::chrono::milliseconds;
using Backend = c10::intrusive_ptr<c10d::Backend>;
using Work = c10::intrusive_ptr<c10d::Work>;

char* guarded(const std::function<void()>& body) {
  try {
    body();
    return nullptr;
  } catch (const c10::Error& error) {
    return strdup(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return strdup(error.what());
  } catch (...) {
    return strdup("an error without a message");
  }
}

/// How often a wait looks whether a rank was lost.
constexpr Milliseconds LOOK{200};

}  // namespace

struct planet_store {
  c10::intrusive_ptr<c10d::Store> store;
};

struct planet_group {
  Backend host;
  /// Null where no tensors lie on GPUs.
  Backend device;
  int size;
  std::atomic<bool> lost{false};

  Work sum(const at::Tensor& tensor) {
    std::vector<at::Tensor> one{tensor};
    return of(tensor).allreduce(one);
  }

  Work broadcast(const at::Tensor& tensor) {
    std::vector<at::Tensor> one{tensor};
    return of(tensor).broadcast(one);
  }

  /// Gloo's work is done then; NCCL's comes before whatever the device does next.
  void wait(const Work& work) {
    while (!done_within(work, LOOK)) TORCH_CHECK(!lost, "another rank was lost");
  }

 private:
  c10d::Backend& of(const at::Tensor& tensor) {
    TORCH_CHECK(!tensor.is_cuda() || device, "a tensor on a GPU in a group without NCCL");
    return tensor.is_cuda() ? *device : *host;
  }

  static bool done_within(const Work& work, Milliseconds most) {
    try {
      work->wait(most);
      return true;
    } catch (...) {
      // Time is up, or the work is broken.
      if (work->isCompleted()) throw;
      return false;
    }
  }
};

/// Gradients of parameters, made the mean over all ranks in pieces while the backward pass goes on.
struct planet_buckets {
  /// Gradients that travel together.
  struct Bucket {
    at::Tensor flat;
    size_t parameters = 0;
    /// Those that the running backward pass has not come to.
    size_t missing = 0;
    Work work;
  };

  planet_group* group;
  std::vector<at::Tensor> parameters;
  /// Where each parameter's gradient goes: a part of its bucket.
  std::vector<at::Tensor> windows;
  /// In the order in which all ranks send them.
  std::vector<Bucket> buckets;
  /// Buckets that are on their way.
  size_t sent = 0;
  at::Tensor loss;
  Work loss_work;
  std::vector<unsigned> hooks;

  /// Before the backward pass: forgets the last one, and sends the loss.
  void begin(const at::Tensor& mine) {
    for (auto& bucket : buckets) bucket.missing = bucket.parameters;
    sent = 0;
    loss = mine.detach().to(at::kDouble).div(group->size);
    loss_work = group->sum(loss);
  }

  /// Waits for all of them; the mean loss.
  at::Tensor finish() {
    TORCH_CHECK(sent == buckets.size(), "a parameter has no gradient");
    group->wait(loss_work);
    for (auto& bucket : buckets) group->wait(bucket.work);
    return loss;
  }

  void listen(size_t at, size_t bucket) {
    buckets[bucket].parameters++;
    hooks.push_back(parameters[at].register_hook([this, at, bucket](const at::Tensor& gradient) {
      at::NoGradGuard guard;
      windows[at].copy_(gradient).div_(group->size);
      buckets[bucket].missing--;
      for (; sent < buckets.size() && buckets[sent].missing == 0; sent++) {
        buckets[sent].work = group->sum(buckets[sent].flat);
      }
    }));
  }

  ~planet_buckets() {
    for (size_t at = 0; at < hooks.size(); at++) parameters[at].remove_hook(hooks[at]);
  }
};

/// The sum over all ranks as a step of the network: gradients are summed on the way back.
struct SumOverRanks : torch::autograd::Function<SumOverRanks> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& values,
                            int64_t group) {
    context->saved_data["group"] = group;
    return summed(values, group);
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    return {summed(gradients[0], context->saved_data["group"].toInt()), at::Tensor()};
  }

 private:
  static at::Tensor summed(const at::Tensor& values, int64_t group) {
    auto sums = values.detach().clone(at::MemoryFormat::Contiguous);
    auto* all = reinterpret_cast<planet_group*>(group);
    all->wait(all->sum(sums));
    return sums;
  }
};

extern "C" {

void planet_text_free(char* text) { free(text); }

// ---- the store: a few keys that every rank can read and write ----

char* planet_store_connect(const char* host, uint16_t port, bool serves, size_t ranks,
                           const char* prefix, uint64_t timeout_ms, planet_store** out) {
  return guarded([&] {
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = serves;
    options.numWorkers = ranks;
    options.waitWorkers = false;
    options.timeout = Milliseconds(timeout_ms);
    auto store = c10::make_intrusive<c10d::TCPStore>(host, options);
    *out = new planet_store{c10::make_intrusive<c10d::PrefixStore>(prefix, store)};
  });
}

/// The same store through a connection of its own, for another thread.
char* planet_store_clone(planet_store* store, uint64_t timeout_ms, planet_store** out) {
  return guarded([&] {
    auto clone = std::make_unique<planet_store>(planet_store{store->store->clone()});
    clone->store->setTimeout(Milliseconds(timeout_ms));
    *out = clone.release();
  });
}

char* planet_store_set(planet_store* store, const char* key, const uint8_t* value, size_t length) {
  return guarded([&] { store->store->set(key, std::vector<uint8_t>(value, value + length)); });
}

/// The value of a key, waited for where `wait` says so; null where there is none.
char* planet_store_get(planet_store* store, const char* key, bool wait, char** out) {
  return guarded([&] {
    *out = nullptr;
    if (!wait && !store->store->check({key})) return;
    auto value = store->store->get(key);
    *out = strndup(reinterpret_cast<const char*>(value.data()), value.size());
  });
}

void planet_store_free(planet_store* store) { delete store; }

// ---- the group: what all ranks do together ----

/// `address` is the one of this machine that the others reach, or empty; so is `interface`.
char* planet_group_join(planet_store* store, int rank, int size, const char* address,
                        const char* interface, uint64_t timeout_ms, planet_group** out) {
  return guarded([&] {
    using Gloo = c10d::ProcessGroupGloo;
    auto group = std::make_unique<planet_group>();
    auto options = Gloo::Options::create(Milliseconds(timeout_ms));
    options->devices.push_back(*interface ? Gloo::createDeviceForInterface(interface)
                               : *address ? Gloo::createDeviceForHostname(address)
                                          : Gloo::createDefaultDevice());
    auto keys = c10::make_intrusive<c10d::PrefixStore>("gloo", store->store);
    group->host = c10::make_intrusive<Gloo>(keys, rank, size, options);
    group->size = size;
    *out = group.release();
  });
}

/// From now on NCCL sums what lies on GPUs.
char* planet_group_join_nccl(planet_group* group, planet_store* store, int rank,
                             uint64_t timeout_ms) {
  return guarded([&] {
#ifdef USE_C10D_NCCL
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = Milliseconds(timeout_ms);
    auto keys = c10::make_intrusive<c10d::PrefixStore>("nccl", store->store);
    group->device =
        c10::make_intrusive<c10d::ProcessGroupNCCL>(keys, rank, group->size, options);
#else
    TORCH_CHECK(false, "this build has no NCCL: build it with --features nccl");
#endif
  });
}

/// A rank was lost: ends whatever waits for it.
char* planet_group_abort(planet_group* group) {
  group->lost = true;
  return guarded([&] {
    if (group->device) group->device->abort();
  });
}

void planet_group_free(planet_group* group) { delete group; }

/// Sums tensors over all ranks, each in its place.
char* planet_group_sum(planet_group* group, at::Tensor* const* tensors, size_t count) {
  return guarded([&] {
    std::vector<Work> works;
    for (size_t at = 0; at < count; at++) works.push_back(group->sum(*tensors[at]));
    for (auto& work : works) group->wait(work);
  });
}

/// Puts rank 0's tensors in the place of everybody's.
char* planet_group_broadcast(planet_group* group, at::Tensor* const* tensors, size_t count) {
  return guarded([&] {
    std::vector<Work> works;
    for (size_t at = 0; at < count; at++) works.push_back(group->broadcast(*tensors[at]));
    for (auto& work : works) group->wait(work);
  });
}

/// The sum of a tensor over all ranks, which gradients go back through.
char* planet_group_sum_with_gradient(planet_group* group, const at::Tensor* values,
                                     at::Tensor** out) {
  return guarded([&] {
    *out = new at::Tensor(SumOverRanks::apply(*values, reinterpret_cast<int64_t>(group)));
  });
}

// ---- gradients ----

/// `parameters` are leaves; `windows` are parts of the `flats` of their buckets, by number.
char* planet_buckets_new(planet_group* group, at::Tensor* const* flats, size_t buckets,
                         at::Tensor* const* parameters, at::Tensor* const* windows,
                         const size_t* bucket_of, size_t count, planet_buckets** out) {
  return guarded([&] {
    auto sum = std::make_unique<planet_buckets>();
    sum->group = group;
    for (size_t at = 0; at < buckets; at++) sum->buckets.push_back({*flats[at]});
    for (size_t at = 0; at < count; at++) {
      sum->parameters.push_back(*parameters[at]);
      sum->windows.push_back(*windows[at]);
    }
    for (size_t at = 0; at < count; at++) sum->listen(at, bucket_of[at]);
    *out = sum.release();
  });
}

/// Before the backward pass of this loss.
char* planet_buckets_begin(planet_buckets* buckets, const at::Tensor* loss) {
  return guarded([&] { buckets->begin(*loss); });
}

/// After it: waits until every gradient is the mean over all ranks; the mean loss.
char* planet_buckets_finish(planet_buckets* buckets, at::Tensor** loss) {
  return guarded([&] { *loss = new at::Tensor(buckets->finish()); });
}

void planet_buckets_free(planet_buckets* buckets) { delete buckets; }

}  // extern "C"
