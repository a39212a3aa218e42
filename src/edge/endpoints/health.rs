//! `GET /healthz`.

use crate::edge::runtime::platform::unbound;
use crate::edge::runtime::settings;
use crate::edge::storage::{console_object, kv, user_object};
use crate::http::Response;
use crate::settings::SettingProblem;
use serde::Serialize;
use worker::Env;

/// The bindings that Signet needs, in the form of [`unbound`].
const BINDINGS: &str = "SIGNET_KV.get USERS.getByName CONSOLE.getByName";

/// Answers 200 if all settings and bindings are present and valid. Otherwise answers 503 with a list of problems.
pub(crate) fn serve(env: &Env) -> Response {
    let mut problems = settings::read(env).err().unwrap_or_default();
    let unbound = unbound(env, BINDINGS);
    for setting in [kv::BINDING, user_object::BINDING, console_object::BINDING] {
        if unbound.contains(setting) {
            problems.push(SettingProblem { setting, problem: "is not bound".into() });
        }
    }
    #[derive(Serialize)]
    struct Unavailable {
        problems: Vec<SettingProblem>,
        status: &'static str,
    }
    if problems.is_empty() {
        Response::json_text(200, r#"{"status":"ok"}"#.to_owned())
    } else {
        Response::json(503, &Unavailable { problems, status: "unavailable" }).with("Retry-After", "5")
    }
}
