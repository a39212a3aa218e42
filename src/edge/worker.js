// The module that Cloudflare loads: the Worker and the classes of its Durable Objects. They call Signet in WebAssembly.

import { DurableObject } from "cloudflare:workers";
import * as signet from "./signet.js";

/** The number of requests that this isolate has received. It names the current request in WebAssembly. */
let requests = 0;

/** The number of times that WebAssembly was started again. */
let restarts = 0;

/** Whether WebAssembly has panicked, so that its memory cannot be trusted. */
let hasPanicked = false;

/** Calls WebAssembly. After a panic, it starts again with empty memory, so that a panic fails only the current requests. */
function enter(call) {
  if (hasPanicked) {
    signet.__wbg_reset_state();
    hasPanicked = false;
    restarts += 1;
  }
  try {
    return call();
  } catch (error) {
    notePanic(error);
    throw error;
  }
}

/** Panics and exhausted stacks leave the memory of WebAssembly in an unknown state. */
function notePanic(error) {
  hasPanicked ||= error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

addEventListener("error", ({ error }) => notePanic(error));

export default {
  fetch(request, env, ctx) {
    requests += 1;
    const number = requests;
    const response = settle(number, () => signet.start(number, request, env, ctx));
    const rest = () => finish(number);
    // Keeps the request alive until everything is written, even if the client closes the connection.
    ctx.waitUntil(response.then(rest, rest));
    return response;
  },
};

/**
 * Takes the steps of a request until it has a result. A step returns the result, or a promise that the request waits
 * for: the next step needs the promise's result.
 */
async function settle(number, firstStep) {
  let step = enter(firstStep);
  while (typeof step?.then === "function") {
    let value;
    let isError = false;
    try {
      value = await step;
    } catch (error) {
      value = error;
      isError = true;
    }
    step = enter(() => signet.resume(number, value, isError));
  }
  return step;
}

/** Does the work that follows the answer. */
async function finish(number) {
  await new Promise((done) => setTimeout(done, 0));
  await settle(number, () => signet.resume(number, undefined, false));
}

/** A Durable Object. After a restart of WebAssembly, the object is made again from its storage. */
class SignetObject extends DurableObject {
  #Class;
  #object;
  #restarts;

  /** `Class` is the object's class in WebAssembly. */
  constructor(ctx, env, Class) {
    super(ctx, env);
    this.#Class = Class;
  }

  /** Calls the object in WebAssembly. */
  enter(call) {
    return enter(() => {
      if (this.#restarts !== restarts) {
        this.#object = new this.#Class(this.ctx, this.env);
        this.#restarts = restarts;
      }
      return call(this.#object);
    });
  }

  /** Runs one command: JSON in, JSON out. Does not wait, so commands do not interleave. */
  run(command) {
    return this.enter((object) => object.run(command));
  }
}

export class User extends SignetObject {
  constructor(ctx, env) {
    super(ctx, env, signet.User);
  }

  alarm() {
    return this.enter((object) => object.alarm());
  }
}

export class Console extends SignetObject {
  constructor(ctx, env) {
    super(ctx, env, signet.Console);
  }
}
