// Exceptions of C++, thrown and caught, and what is unwound between.
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {
int destroyed;
struct Guard {
    ~Guard() { destroyed++; }
};

[[gnu::noinline]] void fail(int depth) {
    Guard guard;
    if (depth == 0) throw std::out_of_range("muslin " + std::to_string(destroyed));
    fail(depth - 1);
}
} // namespace

extern "C" int probe_exceptions() {
    try {
        fail(9);
        return 1;
    } catch (const std::logic_error &error) {
        if (std::string(error.what()) != "muslin 0") return 2;
    }
    if (destroyed != 10) return 3;
    int caught = 0;
    std::thread([&caught] {
        try {
            std::vector<int>().at(3);
        } catch (const std::exception &) {
            caught = 1;
        }
    }).join();
    return caught ? 0 : 4;
}
