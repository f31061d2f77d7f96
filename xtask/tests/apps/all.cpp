// What a C++ runtime has to do in a static program: each function gives back its own line on failure,
// 0 if all is well.
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <format>
#include <fstream>
#include <functional>
#include <future>
#include <iomanip>
#include <iostream>
#include <locale>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#define MUST(condition) \
    if (!(condition)) return __LINE__

namespace {

struct Counted {
    static std::atomic<int> made, gone;
    Counted() { ++made; }
    ~Counted() { ++gone; }
};
std::atomic<int> Counted::made, Counted::gone;

// Both must be made before main: the second needs the first.
const std::map<std::string, int> table = {{"one", 1}, {"two", 2}};
struct Global {
    int sum = 0;
    Global() {
        for (const auto &[name, value] : table) sum += value;
    }
} global;

thread_local std::unique_ptr<Counted> of_this_thread;

struct Base {
    virtual ~Base() = default;
};
struct Derived : Base {};
struct Problem : std::runtime_error {
    using std::runtime_error::runtime_error;
};

[[gnu::noinline]] int fails(int depth) {
    Counted guard;
    if (depth == 0) throw Problem("deep");
    return fails(depth - 1) + 1;
}

}  // namespace

extern "C" int globals() {
    MUST(global.sum == 3 && table.at("two") == 2);
    static const std::string late = std::string(100, 'x');
    MUST(late.size() == 100);
    return 0;
}

extern "C" int exceptions() {
    const int before = Counted::gone;
    try {
        fails(5);
        return __LINE__;
    } catch (const std::exception &problem) {
        MUST(std::string(problem.what()) == "deep");
    }
    MUST(Counted::gone - before == 6);
    std::exception_ptr kept;
    try {
        (void)std::vector<int>().at(3);
    } catch (...) {
        kept = std::current_exception();
    }
    try {
        std::rethrow_exception(kept);
    } catch (const std::out_of_range &) {
        kept = nullptr;
    }
    MUST(!kept);
    try {
        volatile std::size_t much = SIZE_MAX / 2;
        ::operator delete(::operator new(much));
        return __LINE__;
    } catch (const std::bad_alloc &) {
    }
    std::unique_ptr<Base> base(new Derived);
    MUST(dynamic_cast<Derived *>(base.get()) != nullptr);
    try {
        Base other;
        (void)dynamic_cast<Derived &>(other);
        return __LINE__;
    } catch (const std::bad_cast &) {
    }
    return 0;
}

extern "C" int streams() {
    std::ostringstream out;
    out << std::hex << 255 << ' ' << std::dec << std::setprecision(3) << 3.14159 << ' ' << std::boolalpha << true;
    MUST(out.str() == "ff 3.14 true");
    std::istringstream in("7 8.5 word");
    int whole;
    double part;
    std::string word;
    in >> whole >> part >> word;
    MUST(whole == 7 && part == 8.5 && word == "word" && !in.fail());
    MUST(std::format("{:>5}|{:#x}|{:.2f}", "ab", 48, 2.5) == "   ab|0x30|2.50");
    double parsed = 0;
    const std::string text = "1.25e3";
    MUST(std::from_chars(text.data(), text.data() + text.size(), parsed).ec == std::errc() && parsed == 1250);
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, 0.1);
    MUST(std::string(buffer, end.ptr) == "0.1");
    std::cout << "from C++: " << 42 << std::endl;
    std::wcout.clear();
    return std::cout.good() ? 0 : __LINE__;
}

extern "C" int threads() {
    const int made = Counted::made, gone = Counted::gone;
    std::mutex lock;
    int sum = 0;
    std::vector<std::thread> all;
    for (int i = 0; i < 8; ++i)
        all.emplace_back([&, i] {
            of_this_thread = std::make_unique<Counted>();
            const std::lock_guard<std::mutex> held(lock);
            sum += i;
        });
    for (auto &thread : all) thread.join();
    MUST(sum == 28);
    // Destructors of thread_local run before join returns.
    MUST(Counted::made - made == 8 && Counted::gone - gone == 8);
    auto answer = std::async(std::launch::async, [] { return fails(2); });
    try {
        (void)answer.get();
        return __LINE__;
    } catch (const Problem &) {
    }
    std::once_flag once;
    int calls = 0;
    for (int i = 0; i < 3; ++i) std::call_once(once, [&] { ++calls; });
    MUST(calls == 1);
    return 0;
}

extern "C" int files(const char *folder) {
    namespace fs = std::filesystem;
    const fs::path root = fs::path(folder) / "cxx" / "a";
    MUST(fs::create_directories(root));
    {
        std::ofstream out(root / "file");
        out << "line one\nline two\n";
    }
    MUST(fs::file_size(root / "file") == 18);
    std::ifstream in(root / "file");
    std::string line;
    std::getline(in, line);
    MUST(line == "line one");
    int count = 0;
    for (const auto &entry : fs::recursive_directory_iterator(fs::path(folder) / "cxx")) count += entry.exists();
    MUST(count == 2);
    MUST(fs::remove_all(fs::path(folder) / "cxx") == 3);
    std::error_code error;
    (void)fs::file_size(root, error);
    MUST(error == std::errc::no_such_file_or_directory && !error.message().empty());
    try {
        fs::copy_file(root / "none", root / "other");
        return __LINE__;
    } catch (const fs::filesystem_error &problem) {
        MUST(std::string(problem.what()).find("none") != std::string::npos);
    }
    MUST(fs::path("/x/../y/./z").lexically_normal() == "/y/z");
    std::random_device entropy;  // reads /dev/urandom
    MUST(entropy() != entropy() || entropy() != entropy());
    return 0;
}

extern "C" int words() {
    // Also where there is no /dev/urandom.
    std::random_device device;
    MUST(device() != device() || device() != device());
    std::smatch match;
    const std::string text = "2026-11-24 rest";
    MUST(std::regex_search(text, match, std::regex(R"((\d{4})-(\d\d)-(\d\d))")) && match[2] == "11");
    MUST(std::regex_replace(std::string("a  b"), std::regex("\\s+"), "-") == "a-b");
    try {
        std::regex broken("(");
        return __LINE__;
    } catch (const std::regex_error &) {
    }
    const std::locale plain("C");
    MUST(plain == std::locale::classic() && plain.name() == "C");
    MUST(std::use_facet<std::numpunct<char>>(plain).decimal_point() == '.');
    MUST(std::toupper('q', plain) == 'Q');
    std::mt19937 twister;
    twister.discard(9999);
    MUST(twister() == 4123659995u);  // what the standard says of the ten thousandth
    return 0;
}

// Calls back into Rust, which may panic: destructors on the way must run.
extern "C" int through(void (*callback)()) {
    Counted guard;
    callback();
    return 0;
}
extern "C" int gone() { return Counted::gone; }

// Rust between two functions of C++ is passed by an exception.
extern "C" void throws() { throw Problem("through Rust"); }
extern "C" int catches(void (*between)()) {
    try {
        between();
    } catch (const Problem &problem) {
        return std::string(problem.what()) == "through Rust" ? 0 : __LINE__;
    }
    return __LINE__;
}
