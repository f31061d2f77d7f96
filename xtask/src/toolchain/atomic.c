/* Atomic operations on 8 bytes, for CPUs that have them for 4 at most: what compilers leave to libatomic.

   A value is guarded by one of some locks, chosen by its address; so all code must come here for it,
   which it does, since no code for such a CPU can do it in another way. The names are those of the
   compiler's own functions, which C cannot define: hence the labels. */
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LOCKS 64

static uint32_t locks[LOCKS];

static uint32_t *take(const volatile void *place)
{
    uintptr_t address = (uintptr_t)place;
    uint32_t *lock = &locks[(address >> 3 ^ address >> 10) % LOCKS];

    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) != 0)
        sched_yield();
    return lock;
}

static void give(uint32_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/* Puts into `place` what `next` makes of its value, and returns what was there. */
#define CHANGE(place, next)                                                                            \
    uint32_t *lock = take(place);                                                                      \
    uint64_t old = *place;                                                                             \
    *place = (next);                                                                                   \
    give(lock);                                                                                        \
    return old

#define NAMED(result, label, ...) result label(__VA_ARGS__) __asm__("__" #label)

NAMED(bool, atomic_is_lock_free, size_t size, const volatile void *place);
bool atomic_is_lock_free(size_t size, const volatile void *place)
{
    return (size == 1 || size == 2 || size == 4) && (uintptr_t)place % size == 0;
}

NAMED(uint64_t, atomic_load_8, const volatile uint64_t *place, int order);
uint64_t atomic_load_8(const volatile uint64_t *place, int order)
{
    uint32_t *lock = take(place);
    uint64_t value = *place;
    give(lock);
    (void)order;
    return value;
}

NAMED(void, atomic_store_8, volatile uint64_t *place, uint64_t value, int order);
void atomic_store_8(volatile uint64_t *place, uint64_t value, int order)
{
    uint32_t *lock = take(place);
    *place = value;
    give(lock);
    (void)order;
}

NAMED(bool, atomic_compare_exchange_8, volatile uint64_t *place, uint64_t *expected, uint64_t value,
      int success, int failure);
bool atomic_compare_exchange_8(volatile uint64_t *place, uint64_t *expected, uint64_t value,
                               int success, int failure)
{
    uint32_t *lock = take(place);
    uint64_t old = *place;
    bool is_equal = old == *expected;
    if (is_equal)
        *place = value;
    give(lock);
    if (!is_equal)
        *expected = old;
    (void)success, (void)failure;
    return is_equal;
}

/* The compiler's newer name with an order, and the older one without. */
#define OPERATION(name, older, next)                                                                   \
    NAMED(uint64_t, atomic_##name##_8, volatile uint64_t *place, uint64_t value, int order);           \
    uint64_t atomic_##name##_8(volatile uint64_t *place, uint64_t value, int order)                    \
    {                                                                                                  \
        (void)order;                                                                                   \
        CHANGE(place, next);                                                                           \
    }                                                                                                  \
    NAMED(uint64_t, sync_##older##_8, volatile uint64_t *place, uint64_t value);                       \
    uint64_t sync_##older##_8(volatile uint64_t *place, uint64_t value)                                \
    {                                                                                                  \
        CHANGE(place, next);                                                                           \
    }

OPERATION(exchange, lock_test_and_set, value)
OPERATION(fetch_add, fetch_and_add, old + value)
OPERATION(fetch_sub, fetch_and_sub, old - value)
OPERATION(fetch_and, fetch_and_and, old &value)
OPERATION(fetch_or, fetch_and_or, old | value)
OPERATION(fetch_xor, fetch_and_xor, old ^ value)
OPERATION(fetch_nand, fetch_and_nand, ~(old & value))

NAMED(uint64_t, sync_val_compare_and_swap_8, volatile uint64_t *place, uint64_t expected, uint64_t value);
uint64_t sync_val_compare_and_swap_8(volatile uint64_t *place, uint64_t expected, uint64_t value)
{
    CHANGE(place, old == expected ? value : old);
}

NAMED(bool, sync_bool_compare_and_swap_8, volatile uint64_t *place, uint64_t expected, uint64_t value);
bool sync_bool_compare_and_swap_8(volatile uint64_t *place, uint64_t expected, uint64_t value)
{
    return sync_val_compare_and_swap_8(place, expected, value) == expected;
}

/* Values of any size. */
NAMED(void, atomic_load, size_t size, const volatile void *place, void *result, int order);
void atomic_load(size_t size, const volatile void *place, void *result, int order)
{
    uint32_t *lock = take(place);
    memcpy(result, (const void *)place, size);
    give(lock);
    (void)order;
}

NAMED(void, atomic_store, size_t size, volatile void *place, const void *value, int order);
void atomic_store(size_t size, volatile void *place, const void *value, int order)
{
    uint32_t *lock = take(place);
    memcpy((void *)place, value, size);
    give(lock);
    (void)order;
}

NAMED(void, atomic_exchange, size_t size, volatile void *place, const void *value, void *result,
      int order);
void atomic_exchange(size_t size, volatile void *place, const void *value, void *result, int order)
{
    uint32_t *lock = take(place);
    memcpy(result, (const void *)place, size);
    memcpy((void *)place, value, size);
    give(lock);
    (void)order;
}

NAMED(bool, atomic_compare_exchange, size_t size, volatile void *place, void *expected,
      const void *value, int success, int failure);
bool atomic_compare_exchange(size_t size, volatile void *place, void *expected, const void *value,
                             int success, int failure)
{
    uint32_t *lock = take(place);
    bool is_equal = memcmp((const void *)place, expected, size) == 0;
    memcpy(is_equal ? (void *)place : expected, is_equal ? value : (const void *)place, size);
    give(lock);
    (void)success, (void)failure;
    return is_equal;
}
