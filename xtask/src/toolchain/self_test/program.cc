// Tried with every toolchain: templates and virtual functions; with a runtime also its library, and
// an exception that is caught.
#include <algorithm>
#include <array>
#include <cstdio>
#ifndef WITHOUT_RUNTIME
#include <stdexcept>
#include <string>
#include <vector>
#endif

struct Shape {
    virtual double side(int count) const = 0;
};

struct Square : Shape {
    double side(int count) const override { return 1.4142 * count; }
};

static const Square square;

int main(int argc, char **)
{
    std::array<double, 3> sides{3.0, square.side(argc), 2.0};
    const double least = *std::min_element(sides.begin(), sides.end());
#ifndef WITHOUT_RUNTIME
    std::vector<std::string> words{"well"};
    try {
        words.at(argc);
        return 2;
    } catch (const std::out_of_range &) {
        std::printf("%s %.2f\n", words[0].c_str(), least);
    }
#else
    std::printf("well %.2f\n", least);
#endif
    return 0;
}
