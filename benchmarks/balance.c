/* The balance as a hand-written loop: what the compiled solver is measured against in throughput.py.

   Used by the benchmark alone. Same equations, forcing, accumulators and events as the package, over blocks of
   members that the compiler turns into vector instructions. Equations: caspian_sim/balance.py.

   Compiled with -O3 -march=native -fno-math-errno -fno-trapping-math: the last two free sqrt and comparisons
   from bookkeeping that nothing reads, and change no result. The declaration of pow lets the compiler call the
   vector version in the C library. */

#include <stdint.h>
#include <string.h>

#if defined(__GLIBC__) && defined(__x86_64__) && !defined(__clang__)
__attribute__((simd("notinbranch"), const)) double pow(double, double);
#else
double pow(double, double);
#endif
double sqrt(double);

#define LANES 64
#define EACH for (int j = 0; j < LANES; j++)
#define RESTRICT double *restrict

typedef struct {
    const double *node_level, *node_area, *node_volume, *slope, *next_volume;
    const uint32_t *guide;
    double bins_per_volume;
    int64_t bins;
} Table;

typedef struct {
    Table sea, bay;
    double film_volume, film_area;
} Basin;

/* A flux has a row for every month, for every year or a single one, and a column a member or a single one. */
typedef struct {
    const double *values;
    int64_t rows, columns;
} Flux;

typedef struct {
    int64_t months, members, steps, levels, intervals;
    const double *length, *season, *watched;
    const int64_t *interval;
    Flux external, precipitation, evaporation, coefficient, pipes, bay_evaporation;
    const double *area_factor, *sill;
} Run;

typedef struct {
    double sea[LANES], bay[LANES];
    double level[LANES], factor[LANES], sill[LANES];
    double external[LANES], rain[LANES], vapour[LANES], coefficient[LANES], pipes[LANES], bay_loss[LANES];
    double sums[6][LANES];
} Block;

static inline double larger(double a, double b) { return a > b ? a : b; }
static inline double smaller(double a, double b) { return a < b ? a : b; }

static inline void look_up(const Table *t, double volume, double *level, double *area) {
    double place = smaller(larger((volume - t->node_volume[0]) * t->bins_per_volume, 0.0), t->bins - 1.0);
    uint32_t begins = t->guide[(int32_t)place];
    uint32_t i = begins + (volume >= t->next_volume[begins]);
    double twice = 2000.0 * (volume - t->node_volume[i]), a = t->node_area[i];
    double surface = sqrt(larger(a * a + t->slope[i] * twice, 0.0));
    *level = t->node_level[i] + twice / larger(a + surface, 1e-9);
    *area = surface;
}

/* Flow through the strait and loss of the bay at a level of the sea. */
static inline void exchange(const Basin *b, double level, double water, double coefficient, double sill,
                            double pipes, double net_evaporation, double *outflow, double *loss) {
    double bay_level, bay_area, wet = larger(water, 0.0);
    look_up(&b->bay, larger(wet, b->film_volume), &bay_level, &bay_area);
    bay_area += smaller(wet * (b->film_area / b->film_volume), b->film_area) - b->film_area;
    double head = larger(level - sill, 0.0), back = larger(bay_level - sill, 0.0);
    double r = smaller(back / larger(head, 1e-300), 1.0), open = 1.0 - r * sqrt(r);
    const double chord = 11.088340472143997; /* 0.02^(0.385 - 1) */
    double share = smaller(pow(open, 0.385), chord * open);
    *outflow = coefficient * head * sqrt(head) * share + pipes;
    *loss = net_evaporation * bay_area * 1e-6;
}

static void fill(RESTRICT lane, const Flux *f, int64_t month, int64_t months, int64_t begin, int count) {
    const double *row = f->values + month * f->rows / months * f->columns;
    int64_t own = f->columns > 1;
    for (int j = 0; j < count; j++) lane[j] = row[own * (begin + j)];
}

static inline void stage(const Basin *b, Block *restrict k, RESTRICT ds, RESTRICT dw, RESTRICT gs,
                         RESTRICT gw, double reach, double weight) {
#pragma GCC ivdep
    EACH {
        double level, area, flow, loss;
        look_up(&b->sea, (k->sea[j] + reach * ds[j]) / k->factor[j], &level, &area);
        area *= k->factor[j];
        exchange(b, level, k->bay[j] + reach * dw[j], k->coefficient[j], k->sill[j], k->pipes[j],
                 k->bay_loss[j], &flow, &loss);
        double rain = k->rain[j] * area * 1e-6, vapour = k->vapour[j] * area * 1e-6;
        ds[j] = k->external[j] + rain - vapour - flow;
        dw[j] = flow - loss;
        gs[j] += weight * ds[j];
        gw[j] += weight * dw[j];
        k->sums[0][j] += weight * level;
        k->sums[1][j] += weight * area;
        k->sums[2][j] += weight * rain;
        k->sums[3][j] += weight * vapour;
        k->sums[4][j] += weight * flow;
        k->sums[5][j] += weight * loss;
    }
}

/* Times of events are those of the start of the step in which they fall; the step itself is left for later. */
static void watch(const Basin *b, const Run *run, const Block *k, const double *sea, const double *bay,
                  const double *then, int64_t begin, int count, int64_t month, double after, int64_t *fell_month,
                  RESTRICT fell_after, RESTRICT fell_from, RESTRICT fell_to) {
    int64_t n = run->members;
    for (int64_t e = 0; e < run->levels + 2; e++) {
        const double *was = e <= run->levels ? k->level : k->bay, *now = e <= run->levels ? then : bay;
        double bar = e < run->levels ? run->watched[e] : b->film_volume;
        int falls = 0;
        if (e == run->levels)
            EACH falls += (was[j] > k->sill[j]) & (now[j] <= k->sill[j]);
        else
            EACH falls += (was[j] > bar) & (now[j] <= bar);
        if (!falls) continue;
        for (int j = 0; j < count; j++) {
            double own = e == run->levels ? k->sill[j] : bar;
            int64_t at = e * n + begin + j, from = 2 * e * n + begin + j;
            if (!(was[j] > own && now[j] <= own) || fell_month[at] >= 0) continue;
            fell_month[at] = month;
            fell_after[at] = after;
            fell_from[from] = k->sea[j], fell_from[from + n] = k->bay[j];
            fell_to[from] = sea[j], fell_to[from + n] = bay[j];
        }
    }
}

/* Members from first to last, which are whole blocks but for the end of the ensemble. */
void integrate(const Run *run, const Basin *b, const double *sea, const double *bay, int64_t first, int64_t last,
               RESTRICT sums, RESTRICT edge_volume, int64_t *restrict fell_month, RESTRICT fell_after,
               RESTRICT fell_from, RESTRICT fell_to) {
    static const double REACH[4] = {0.0, 0.5, 0.5, 1.0}, WEIGHT[4] = {1 / 6.0, 1 / 3.0, 1 / 3.0, 1 / 6.0};
    int64_t n = run->members;
    for (int64_t begin = first; begin < last; begin += LANES) {
        Block k;
        double ds[LANES], dw[LANES], gs[LANES], gw[LANES], then[LANES], area[LANES];
        int count = last - begin < LANES ? (int)(last - begin) : LANES;
        memset(&k, 0, sizeof k);
        EACH k.factor[j] = 1.0;
        for (int j = 0; j < count; j++) {
            k.sea[j] = sea[begin + j], k.bay[j] = bay[begin + j];
            k.factor[j] = run->area_factor[begin + j], k.sill[j] = run->sill[begin + j];
        }
        EACH look_up(&b->sea, k.sea[j] / k.factor[j], &k.level[j], &area[j]);
        for (int64_t m = 0; m < run->months; m++) {
            double step = run->length[m] / run->steps, season = run->season[m];
            int64_t interval = run->interval[m];
            fill(k.external, &run->external, m, run->months, begin, count);
            fill(k.rain, &run->precipitation, m, run->months, begin, count);
            fill(k.vapour, &run->evaporation, m, run->months, begin, count);
            fill(k.coefficient, &run->coefficient, m, run->months, begin, count);
            fill(k.pipes, &run->pipes, m, run->months, begin, count);
            fill(k.bay_loss, &run->bay_evaporation, m, run->months, begin, count);
            EACH k.vapour[j] += season, k.bay_loss[j] += season;
            memset(k.sums, 0, sizeof k.sums);
            for (int64_t s = 0; s < run->steps; s++) {
                EACH ds[j] = 0.0, dw[j] = 0.0, gs[j] = k.sea[j], gw[j] = k.bay[j];
                for (int q = 0; q < 4; q++) stage(b, &k, ds, dw, gs, gw, step * REACH[q], step * WEIGHT[q]);
                EACH look_up(&b->sea, gs[j] / k.factor[j], &then[j], &area[j]);
                watch(b, run, &k, gs, gw, then, begin, count, m, s * step, fell_month, fell_after, fell_from, fell_to);
                EACH k.sea[j] = gs[j], k.bay[j] = gw[j], k.level[j] = then[j];
            }
            for (int64_t q = 0; q < 6; q++) {
                double *out = sums + ((q + 2) * run->intervals + interval) * n + begin;
                for (int j = 0; j < count; j++) out[j] += k.sums[q][j];
            }
            double *out = sums + (8 * run->intervals + interval) * n + begin;
            double *edge = edge_volume + 2 * (interval + 1) * n + begin;
            for (int j = 0; j < count; j++) {
                out[j] += k.external[j] * run->length[m];
                edge[j] = k.sea[j], edge[n + j] = k.bay[j];
            }
        }
    }
}

/* Water in the bay after months of a given level of the sea, linear between the edges of the months. */
void follow(const Basin *b, int64_t members, int64_t months, int64_t steps, const double *level,
            const double *length, const double *season, const double *pipes, const double *coefficient,
            const double *sill, const double *net_evaporation, RESTRICT bay) {
    static const double REACH[4] = {0.0, 0.5, 0.5, 1.0}, WEIGHT[4] = {1 / 6.0, 1 / 3.0, 1 / 3.0, 1 / 6.0};
    for (int64_t begin = 0; begin < members; begin += LANES) {
        double w[LANES] = {0}, d[LANES], g[LANES], c[LANES] = {0}, own[LANES] = {0}, loss[LANES] = {0};
        int count = members - begin < LANES ? (int)(members - begin) : LANES;
        for (int j = 0; j < count; j++) {
            w[j] = bay[begin + j], own[j] = sill[begin + j];
            c[j] = coefficient[begin + j], loss[j] = net_evaporation[begin + j];
        }
        for (int64_t s = 0; s < months * steps; s++) {
            int64_t m = s / steps;
            double h = length[m] / steps, rise = (level[m + 1] - level[m]) / steps;
            EACH d[j] = 0.0, g[j] = w[j];
            for (int q = 0; q < 4; q++) {
                double sea = level[m] + (s % steps + REACH[q]) * rise;
#pragma GCC ivdep
                EACH {
                    double flow, lost;
                    exchange(b, sea, w[j] + REACH[q] * h * d[j], c[j], own[j], pipes[m], loss[j] + season[m],
                             &flow, &lost);
                    d[j] = flow - lost;
                    g[j] += WEIGHT[q] * h * d[j];
                }
            }
            EACH w[j] = g[j];
        }
        for (int j = 0; j < count; j++) bay[begin + j] = w[j];
    }
}
