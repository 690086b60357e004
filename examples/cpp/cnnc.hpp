// cnnc.hpp: cnnc's runtime in C++17: what is owned is freed, what fails throws, arrays are spans that know their length.
//
// Enough for networks with one input, one target and one output; made to be copied and changed.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "cnnc_runtime.h"

namespace cnnc {

struct error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Calls f(&message) and throws the message where f returns CNNC_FAILED or NULL.
template <class F> auto check(F f) {
    cnnc_error message;
    auto result = f(&message);
    if constexpr (std::is_pointer_v<decltype(result)>) {
        if (!result) throw error(message.text);
    } else if (result == CNNC_FAILED) {
        throw error(message.text);
    }
    return result;
}

// Elements that somebody else owns; with C++20 std::span takes its place.
template <class T> class span {
public:
    span(T *data, std::size_t size) : data_(data), size_(size) {}
    template <class C, class = decltype(std::declval<C &>().size())> span(C &elements) : span(elements.data(), elements.size()) {}
    T *data() const { return data_; }
    std::size_t size() const { return size_; }
    T *begin() const { return data_; }
    T *end() const { return data_ + size_; }
    T &operator[](std::size_t i) const { return data_[i]; }
    span part(std::size_t first, std::size_t count) const {
        if (first > size_ || count > size_ - first) throw error("a part that reaches beyond the end");
        return span(data_ + first, count);
    }

private:
    T *data_;
    std::size_t size_;
};

template <class T> constexpr cnnc_type type_of = std::is_same_v<T, float>     ? CNNC_F32
                                                 : std::is_same_v<T, double>  ? CNNC_F64
                                                 : std::is_same_v<T, uint8_t> ? CNNC_U8
                                                                              : CNNC_I32;

// How many examples a span has of what a network calls `tensor`.
template <class T> int examples(const cnnc_tensor &tensor, span<T> elements) {
    if (tensor.type != type_of<std::remove_const_t<T>>) throw error(std::string(tensor.name) + " is of type " + cnnc_type_name(tensor.type));
    if (elements.size() % tensor.count) throw error(std::string(tensor.name) + " has " + std::to_string(tensor.count) + " elements an example");
    return static_cast<int>(elements.size() / tensor.count);
}

class dataset {
public:
    dataset(const cnnc_network &network, const std::string &where, const char *split) : network_(network) {
        check([&](cnnc_error *e) { return cnnc_dataset_load(&network, where.c_str(), split, data_.get(), e); });
    }
    const cnnc_dataset *get() const { return data_.get(); }
    template <class T> span<const T> inputs() const { return all<T>(network_.inputs[0], data_->inputs[0]); }
    template <class T> span<const T> targets() const { return all<T>(network_.targets[0], data_->targets[0]); }

private:
    struct free {
        void operator()(cnnc_dataset *data) const { cnnc_dataset_free(data), delete data; }
    };
    template <class T> span<const T> all(const cnnc_tensor &tensor, const void *elements) const {
        span<const T> result(static_cast<const T *>(elements), data_->n * tensor.count);
        examples(tensor, result);
        return result;
    }
    const cnnc_network &network_;
    std::unique_ptr<cnnc_dataset, free> data_{new cnnc_dataset{}};
};

class model {
public:
    explicit model(const cnnc_network &network, int threads = 0) // 0: one a processor
        : model_(check([&](cnnc_error *e) { return cnnc_model_new(&network, threads, nullptr, e); })) {}

    void load(const std::string &path) {
        check([&](cnnc_error *e) { return cnnc_weights_load(network(), model_->net, path.c_str(), e); });
    }
    void save(const std::string &path) const {
        check([&](cnnc_error *e) { return cnnc_weights_save(network(), model_->net, path.c_str(), nullptr, 0, e); });
    }

    // One update; loss and metrics of the batch before it.
    template <class X, class Y> std::vector<double> train(span<const X> x, span<const Y> y) {
        const void *inputs[] = {x.data()}, *targets[] = {y.data()};
        cnnc_batch batch{};
        batch.n = examples(network()->inputs[0], x), batch.inputs = inputs, batch.targets = targets;
        if (examples(network()->targets[0], y) != batch.n) throw error("not as many targets as inputs");
        std::vector<double> results(columns());
        check([&](cnnc_error *e) { return cnnc_model_train_batch(model_.get(), &batch, results.data(), e); });
        return results;
    }

    // Loss and metrics over a dataset.
    std::vector<double> evaluate(const dataset &data) {
        std::vector<double> results(columns());
        check([&](cnnc_error *e) { return cnnc_evaluate(model_.get(), data.get(), 0, 0, nullptr, nullptr, results.data(), e); });
        return results;
    }

    template <class X> std::vector<float> predict(span<const X> x) {
        const std::size_t n = static_cast<std::size_t>(examples(network()->inputs[0], x));
        std::vector<float> y(n * network()->outputs[0].count);
        examples(network()->outputs[0], span<float>(y));
        const void *inputs[] = {x.data()};
        void *outputs[] = {y.data()};
        check([&](cnnc_error *e) { return cnnc_predict(model_.get(), inputs, n, 0, 0, nullptr, nullptr, outputs, e); });
        return y;
    }

private:
    struct free {
        void operator()(cnnc_model *m) const { cnnc_model_free(m); }
    };
    const cnnc_network *network() const { return model_->network; }
    std::size_t columns() const { return 1 + static_cast<std::size_t>(network()->metric_count); }
    std::unique_ptr<cnnc_model, free> model_;
};

} // namespace cnnc
