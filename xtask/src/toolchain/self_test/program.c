/* Tried with every toolchain: formatted output, the heap, arithmetic that no compiler can do ahead. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    char *text = malloc(32);
    if (!text || !argv[0])
        return 2;
    snprintf(text, 32, "well %.2f", sqrt(2.0 * argc));
    puts(text);
    int differs = strcmp(text, "well 1.41");
    free(text);
    return differs != 0;
}
