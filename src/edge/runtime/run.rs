//! Runs the future of a request, driven by the Worker's entry module.
//!
//! A future that waits for a promise by [`settled`] hands the promise to the entry module, which waits for it and calls
//! back with its result. That costs one call of WebAssembly. Waiting in WebAssembly costs two closures, a task and
//! several calls. A future that waits in another way is run by `wasm_bindgen_futures`.
//!
//! Futures that are joined advance when the promise of one of them settles. Do not race futures in a request.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use worker::js_sys::{Error, Promise};
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen_futures::{JsFuture, future_to_promise};

type Task = Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>;

/// A task of a request that waits.
enum Waiting {
    /// The entry module waits for a promise, and returns its result. The waker belongs to the future that needs it.
    ForPromise(Task, Waker),
    /// The task runs in `wasm_bindgen_futures`.
    ForItself,
}

/// What the polled task exchanges with the entry module.
#[derive(Default)]
enum Exchange {
    /// No task is polled.
    #[default]
    Closed,
    /// The task can hand a promise to the entry module.
    Open,
    /// The task waits for this promise.
    Handed(Promise, Waker),
    /// The result of the promise that the task waited for.
    Settled(Result<JsValue, JsValue>),
}

thread_local! {
    /// The waiting tasks and the numbers of their requests.
    static TASKS: RefCell<Vec<(u32, Waiting)>> = const { RefCell::new(Vec::new()) };
    /// The number of the request that has just started, if it is forwarded to the origin of gateway mode.
    static FORWARDED: Cell<Option<u32>> = const { Cell::new(None) };
    /// The tasks that follow the answers, and the numbers of their requests.
    static DEFERRED: RefCell<Vec<(u32, Task)>> = const { RefCell::new(Vec::new()) };
    static EXCHANGE: RefCell<Exchange> = const { RefCell::new(Exchange::Closed) };
}

/// Polls a new task of request `number`. Returns its result, or a promise that it waits for.
///
/// # Errors
/// The error of the task.
pub(crate) fn start(
    number: u32,
    task: impl Future<Output = Result<JsValue, JsValue>> + 'static,
) -> Result<JsValue, JsValue> {
    poll(number, Box::pin(task), Exchange::Open)
}

/// Notes that request `number` is forwarded to the origin of gateway mode.
pub(crate) fn forward(number: u32) {
    FORWARDED.set(Some(number));
}

/// Whether request `number`, which has just started, is forwarded.
pub(crate) fn forwards(number: u32) -> bool {
    FORWARDED.take() == Some(number)
}

/// Keeps a task of request `number` for [`finish`].
pub(crate) fn defer(number: u32, task: impl Future<Output = Result<JsValue, JsValue>> + 'static) {
    DEFERRED.with_borrow_mut(|tasks| tasks.push((number, Box::pin(task))));
}

/// Polls the task that follows the answer of request `number`. Returns like [`start`].
///
/// # Errors
/// The error of the task.
pub(crate) fn finish(number: u32) -> Result<JsValue, JsValue> {
    match DEFERRED.with_borrow_mut(|tasks| take(tasks, number)) {
        Some(task) => poll(number, task, Exchange::Open),
        None => Ok(JsValue::UNDEFINED),
    }
}

/// Polls the waiting task of request `number`, whose promise has the result `value`. Returns like [`start`].
///
/// # Errors
/// The error of the task. Also an error if a restart of WebAssembly lost the task: `value` is the result of a promise
/// inside the task, and must not become the answer.
pub(crate) fn resume(number: u32, value: JsValue, is_error: bool) -> Result<JsValue, JsValue> {
    let result = if is_error { Err(value) } else { Ok(value) };
    match TASKS.with_borrow_mut(|tasks| take(tasks, number)) {
        Some(Waiting::ForPromise(task, waker)) => {
            waker.wake();
            poll(number, task, Exchange::Settled(result))
        }
        Some(Waiting::ForItself) => result,
        None => Err(Error::new("the request was lost in a restart").into()),
    }
}

/// Removes the task of request `number`. A list is searched, because only a few requests wait at once.
fn take<T>(tasks: &mut Vec<(u32, T)>, number: u32) -> Option<T> {
    let place = tasks.iter().position(|(request, _)| *request == number)?;
    Some(tasks.swap_remove(place).1)
}

fn poll(number: u32, mut task: Task, exchange: Exchange) -> Result<JsValue, JsValue> {
    EXCHANGE.replace(exchange);
    let polled = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    match (polled, EXCHANGE.take()) {
        (Poll::Ready(result), _) => result,
        (Poll::Pending, Exchange::Handed(promise, waker)) => {
            TASKS.with_borrow_mut(|tasks| tasks.push((number, Waiting::ForPromise(task, waker))));
            Ok(promise.into())
        }
        (Poll::Pending, _) => {
            TASKS.with_borrow_mut(|tasks| tasks.push((number, Waiting::ForItself)));
            Ok(future_to_promise(task).into())
        }
    }
}

/// The result of `promise`.
pub(crate) fn settled(promise: Promise) -> Settled {
    Settled::Unpolled(promise)
}

/// See [`settled`].
pub(crate) enum Settled {
    Unpolled(Promise),
    /// The entry module waits for the promise.
    Handed,
    Own(JsFuture),
}

impl Future for Settled {
    type Output = Result<JsValue, JsValue>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Self::Unpolled(promise) = &*self {
            let promise = promise.clone();
            let is_open = EXCHANGE.with_borrow(|exchange| matches!(exchange, Exchange::Open));
            if is_open {
                EXCHANGE.replace(Exchange::Handed(promise, context.waker().clone()));
                *self = Self::Handed;
                return Poll::Pending;
            }
            *self = Self::Own(JsFuture::from(promise));
        }
        match &mut *self {
            Self::Own(future) => Pin::new(future).poll(context),
            Self::Unpolled(_) | Self::Handed => EXCHANGE.with_borrow_mut(|exchange| match std::mem::take(exchange) {
                Exchange::Settled(result) => {
                    *exchange = Exchange::Open;
                    Poll::Ready(result)
                }
                other => {
                    *exchange = other;
                    Poll::Pending
                }
            }),
        }
    }
}
