// The module that Cloudflare loads: the Worker and the classes of its Durable Objects. They call Signet in WebAssembly.

import { DurableObject } from "cloudflare:workers";
import * as signet from "./signet.js";

/** The number of requests that this isolate has received. It names the current request in WebAssembly. */
let requests = 0;

/** The number of times that WebAssembly was started again. */
let restarts = 0;

/** Whether WebAssembly has panicked, so that its memory cannot be trusted. */
let hasPanicked = false;

/** Calls WebAssembly. After a panic, it starts again with empty memory, so that a panic fails only the requests in progress. */
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
  const isStackExhausted = error instanceof RangeError && error.message.includes("call stack");
  hasPanicked ||= error instanceof WebAssembly.RuntimeError || isStackExhausted;
}

addEventListener("error", ({ error }) => notePanic(error));

export default {
  fetch(request, env, ctx) {
    requests += 1;
    const number = requests;
    const response = answer(number, request, env, ctx);
    const rest = () => finish(number);
    if (enter(() => signet.forwards(number))) {
      // A request to the origin of gateway mode ends when the client closes the connection.
      return response.then((forwarded) => {
        ctx.waitUntil(rest());
        return forwarded;
      });
    }
    // Any other request goes on, so that its decision is recorded.
    ctx.waitUntil(response.then(rest, rest));
    return response;
  },
};

async function answer(number, request, env, ctx) {
  try {
    return await settle(number, () => signet.start(number, request, env, ctx));
  } catch (error) {
    // A panic, or a restart of WebAssembly that lost this request.
    return enter(() => signet.fail(error));
  }
}

/**
 * Handles a request in steps until it has a result. A step returns the result, or a promise that the request waits
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

/** Does the work that follows the answer, in a new task of the event loop, so that the answer is sent first. */
async function finish(number) {
  await new Promise((done) => setTimeout(done, 0));
  await settle(number, () => signet.finish(number));
}

/** The part of a Durable Object in WebAssembly. After a restart of WebAssembly, it is made again from storage. */
class Part {
  #object;
  #Class;
  #instance;
  #restarts;

  constructor(object, Class) {
    this.#object = object;
    this.#Class = Class;
  }

  enter(call) {
    return enter(() => {
      if (this.#restarts !== restarts) {
        this.#instance = new this.#Class(this.#object.ctx, this.#object.env);
        this.#restarts = restarts;
      }
      return call(this.#instance);
    });
  }
}

export class User extends DurableObject {
  #part = new Part(this, signet.User);

  /** Runs one command: JSON in, JSON out. Does not wait, so commands do not interleave. */
  run(command) {
    return this.#part.enter((user) => user.run(command));
  }

  alarm() {
    return this.#part.enter((user) => user.alarm());
  }
}

export class Console extends DurableObject {
  #part = new Part(this, signet.Console);

  /** Runs one command: JSON in, JSON out. Does not wait, so commands do not interleave. */
  run(command) {
    return this.#part.enter((console) => console.run(command));
  }
}
