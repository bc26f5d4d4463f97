use axum::Json;
use utoipa::OpenApi;

use super::{album, explain, game, kserve, library, locate, outline, report, state};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "PlaNet",
        description = "Where photos were taken. Errors are objects with `error` and, where there \
                       is a cure, `hint`."
    ),
    paths(
        state::state,
        state::metrics,
        outline::land,
        outline::cells,
        locate::locate,
        explain::explain,
        album::album,
        library::library,
        library::photo,
        library::decisions,
        library::write,
        game::start,
        game::state,
        game::photo,
        game::guess,
        game::summary,
        game::predictions,
        game::answers,
        report::report,
        kserve::server,
        kserve::live,
        kserve::ready,
        kserve::metadata,
        kserve::model_ready,
        kserve::infer
    )
)]
struct Api;

/// This description.
pub(crate) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}
