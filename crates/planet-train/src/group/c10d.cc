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
  /// Null where tensors stay on the host.
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

/// Gradients of parameters, summed over all ranks in pieces while the backward pass goes on.
struct planet_buckets {
  struct Bucket {
    at::Tensor flat;
    /// Gradients that the running backward pass has not come to.
    size_t missing = 0;
    std::vector<size_t> parameters;
    Work work;
  };

  planet_group* group;
  std::vector<at::Tensor> parameters;
  /// Of each parameter: its bucket, and where it begins there.
  std::vector<std::pair<size_t, int64_t>> places;
  std::vector<unsigned> hooks;
  /// Last parameters first, as the backward pass comes to them.
  std::vector<Bucket> buckets;
  /// Buckets that are on their way. All ranks send them in this order.
  size_t sent = 0;

  planet_buckets(planet_group* group, std::vector<at::Tensor> all, size_t bytes)
      : group(group), parameters(std::move(all)), places(parameters.size()) {
    // One more value in the first bucket: the loss.
    int64_t length = 1;
    for (size_t at = parameters.size(); at-- > 0;) {
      if (buckets.empty() || length * sizeof(float) >= bytes) {
        if (!buckets.empty()) fill(length), length = 0;
        buckets.emplace_back();
      }
      places[at] = {buckets.size() - 1, length};
      buckets.back().parameters.push_back(at);
      length += parameters[at].numel();
    }
    fill(length);
    for (size_t at = 0; at < parameters.size(); at++) {
      hooks.push_back(parameters[at].register_hook(
          [this, at](const at::Tensor& gradient) { return arrived(at, gradient); }));
    }
  }

  ~planet_buckets() {
    for (size_t at = 0; at < hooks.size(); at++) parameters[at].remove_hook(hooks[at]);
  }

  /// Where a parameter's gradient lies, in the parameter's own order in memory.
  at::Tensor view(size_t at) {
    auto [bucket, start] = places[at];
    return buckets[bucket].flat.as_strided(parameters[at].sizes(), parameters[at].strides(), start);
  }

  void begin(const at::Tensor& loss) {
    for (auto& bucket : buckets) bucket.missing = bucket.parameters.size();
    sent = 0;
    put(buckets[0].flat[0], loss.detach());
  }

  /// Waits for all of them; the mean loss. Gradients are then the mean over all ranks.
  at::Tensor finish() {
    TORCH_CHECK(sent == buckets.size(), "a parameter has no gradient: ranks cannot be summed");
    for (auto& bucket : buckets) group->wait(bucket.work);
    for (size_t at = 0; at < parameters.size(); at++) parameters[at].mutable_grad() = view(at);
    return buckets[0].flat[0].clone();
  }

 private:
  void fill(int64_t length) {
    buckets.back().flat = at::empty({length}, parameters[0].options().requires_grad(false));
  }

  void put(at::Tensor place, const at::Tensor& value) {
    at::NoGradGuard guard;
    at::mul_out(place, value, at::scalar_tensor(1.0 / group->size, value.options()));
  }

  at::Tensor arrived(size_t at, const at::Tensor& gradient) {
    auto place = view(at);
    put(place, gradient);
    buckets[places[at].first].missing--;
    for (; sent < buckets.size() && buckets[sent].missing == 0; sent++) {
      buckets[sent].work = group->sum(buckets[sent].flat);
    }
    return place;
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

bool planet_has_nccl() {
#ifdef USE_C10D_NCCL
  return true;
#else
  return false;
#endif
}

/// `address` is the one of this machine that the others reach, or empty; so is `interface`.
char* planet_group_join(planet_store* store, int rank, int size, const char* address,
                        const char* interface, bool nccl, uint64_t timeout_ms,
                        planet_group** out) {
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
    if (nccl) {
#ifdef USE_C10D_NCCL
      auto options = c10d::ProcessGroupNCCL::Options::create();
      options->timeout = Milliseconds(timeout_ms);
      auto keys = c10::make_intrusive<c10d::PrefixStore>("nccl", store->store);
      group->device = c10::make_intrusive<c10d::ProcessGroupNCCL>(keys, rank, size, options);
#else
      TORCH_CHECK(false, "this build has no NCCL: its headers were not beside libtorch");
#endif
    }
    *out = group.release();
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

/// `parameters` are leaves with gradients, of one type, on one device.
char* planet_buckets_new(planet_group* group, at::Tensor* const* parameters, size_t count,
                         size_t bytes, planet_buckets** out) {
  return guarded([&] {
    TORCH_CHECK(count > 0, "no parameters");
    std::vector<at::Tensor> all;
    for (size_t at = 0; at < count; at++) all.push_back(*parameters[at]);
    *out = new planet_buckets(group, std::move(all), bytes);
  });
}

size_t planet_buckets_count(planet_buckets* buckets) { return buckets->buckets.size(); }

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
