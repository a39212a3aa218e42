// Random numbers that can be repeated.

/** The seed of this run, printed so that SIGNET_SEED can repeat it. */
export function seed() {
  const seed = Number(process.env.SIGNET_SEED ?? Date.now() % 2 ** 31);
  console.log(`seed ${seed}; SIGNET_SEED=${seed} repeats it`);
  return seed;
}

/** Returns a function that gives whole numbers below its argument (mulberry32). */
export function generator(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
