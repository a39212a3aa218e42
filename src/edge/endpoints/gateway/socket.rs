//! Relays a WebSocket between the browser and the origin, for as long as the session is live.

use crate::edge::runtime::{Fault, RequestContext, decisions, platform};
use crate::edge::storage::sessions::{Usage, session_of};
use crate::gateway::{CHECK_EVERY, GOING_AWAY, INTERNAL_ERROR, POLICY_VIOLATION, relayed_close};
use crate::log::{LogLine, Outcome};
use crate::user::SessionCookie;
use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt as _};
use std::cell::Cell;
use std::pin::pin;
use worker::js_sys::{Function, Reflect};
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::web_sys::{self, BinaryType};
use worker::{Delay, WebSocket, WebSocketPair, WebsocketEvent};

/// An open WebSocket and the session that it depends on.
pub(crate) struct Socket {
    browser: WebSocket,
    origin: WebSocket,
    cookie: SessionCookie,
    context: RequestContext,
    /// Whether the browser sent a message since the last check of the session.
    is_used: Cell<bool>,
}

/// Why a WebSocket ends.
enum End {
    /// One side closed. The other side is closed with this code and reason.
    Closed(Option<u16>, String),
    SessionEnded,
    /// The session could not be checked.
    Fault(Fault),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Browser,
    Origin,
}

impl Socket {
    /// A relay to `origin`, and the WebSocket to return to the browser.
    pub(crate) fn new(
        origin: web_sys::WebSocket,
        cookie: SessionCookie,
        context: RequestContext,
    ) -> worker::Result<(Self, web_sys::WebSocket)> {
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        let socket = Self { browser: server, origin: origin.into(), cookie, context, is_used: Cell::new(false) };
        Ok((socket, client.as_ref().clone()))
    }

    /// Relays messages until one side closes or the session ends. Then closes both sides.
    pub(crate) async fn run(self) {
        let start = platform::milliseconds();
        let end = match select(pin!(self.relay()), pin!(self.watch())).await {
            Either::Left((Ok(end), _)) | Either::Right((end, _)) => end,
            Either::Left((Err(error), _)) => End::Fault(Fault::Internal("websocket", error.to_string())),
        };
        let (code, reason) = match &end {
            End::Closed(code, reason) => (*code, reason.as_str()),
            End::SessionEnded => (Some(POLICY_VIOLATION), "The session has ended."),
            End::Fault(_) => (Some(INTERNAL_ERROR), "The session could not be checked."),
        };
        for side in [&self.browser, &self.origin] {
            // Fails only if this side is already closed.
            let _ = side.close(code, Some(reason));
        }
        let (outcome, reason, fault) = match &end {
            End::Closed(..) => return,
            End::SessionEnded => (Outcome::Denied, "session_ended", None),
            End::Fault(fault) => (Outcome::Failed, fault.reason(), Some(fault)),
        };
        let line = LogLine {
            user_id: Some(&self.cookie.sub),
            ..LogLine::new("websocket", outcome, reason, &self.context.audit.request_id)
        };
        decisions::record(&line, fault, platform::milliseconds().saturating_sub(start), &self.context.env);
    }

    /// Relays messages in both directions until one side closes.
    async fn relay(&self) -> worker::Result<End> {
        let from_browser = self.browser.events()?.map(|event| (Side::Browser, event));
        let from_origin = self.origin.events()?.map(|event| (Side::Origin, event));
        for side in [&self.browser, &self.origin] {
            // An ArrayBuffer can be sent on without conversion.
            side.as_ref().set_binary_type(BinaryType::Arraybuffer);
            side.accept()?;
        }
        let mut events = stream::select(from_browser, from_origin);
        while let Some((side, event)) = events.next().await {
            let message = match event {
                Ok(WebsocketEvent::Message(message)) => message.as_ref().data(),
                Ok(WebsocketEvent::Close(close)) => {
                    return Ok(End::Closed(relayed_close(close.code()), close.reason()));
                }
                Err(_) => break,
            };
            let receiver = match side {
                Side::Browser => &self.origin,
                Side::Origin => &self.browser,
            };
            if side == Side::Browser {
                self.is_used.set(true);
            }
            if send(receiver, &message).is_err() {
                break;
            }
        }
        // The connection is lost.
        Ok(End::Closed(Some(GOING_AWAY), String::new()))
    }

    /// Checks the session each minute until it ends. A message from the browser since the last check restarts the idle
    /// limit.
    async fn watch(&self) -> End {
        loop {
            Delay::from(CHECK_EVERY).await;
            let usage = if self.is_used.replace(false) { Usage::UsedSocket } else { Usage::UnusedSocket };
            match session_of(&self.cookie, usage, &self.context).await {
                Ok(Some(_)) => {}
                Ok(None) => return End::SessionEnded,
                Err(fault) => return End::Fault(fault),
            }
        }
    }
}

/// Sends a text or binary message without copying it.
fn send(receiver: &WebSocket, message: &JsValue) -> Result<(), JsValue> {
    let receiver = receiver.as_ref();
    Reflect::get(receiver, &"send".into())?.dyn_into::<Function>()?.call1(receiver, message).map(drop)
}
