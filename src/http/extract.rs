//! Bodies, queries and path parts as checked values. A handler never sees anything else.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
};
use serde::de::DeserializeOwned;

use super::{
    FieldErrors, Problem, limits::BODY_BYTES_MAX, receive::Announced, text::escape_pointer,
};

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// A JSON body of at most `MAX` bytes, packed and unpacked.
///
/// Errors: 415 for another media type or coding, 413 over the limit, 408 when it comes too slowly,
/// 400 when it cannot be read or is not JSON, 422 with a pointer when a member is missing, unknown
/// or of the wrong kind.
pub struct Body<T, const MAX: usize = BODY_BYTES_MAX>(pub T);

impl<T: DeserializeOwned + 'static, const MAX: usize> FromRequest for Body<T, MAX> {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media_type = check_media_type(req);
        let (announced, payload) = (Announced::by(req), payload.take());
        Box::pin(async move {
            media_type?;
            let bytes = announced.receive(payload, MAX).await?;
            parse(&bytes).map(Self)
        })
    }
}

/// A JSON body that may be absent.
pub struct OptionalBody<T, const MAX: usize = BODY_BYTES_MAX>(pub T);

impl<T: DeserializeOwned + Default + 'static, const MAX: usize> FromRequest
    for OptionalBody<T, MAX>
{
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media_type = check_media_type(req);
        let (announced, payload) = (Announced::by(req), payload.take());
        Box::pin(async move {
            let bytes = announced.receive(payload, MAX).await?;
            if bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Self(T::default()));
            }
            media_type?;
            // `null` says as little as an empty body.
            parse::<Option<T>>(&bytes).map(|value| Self(value.unwrap_or_default()))
        })
    }
}

/// JSON to a value; a wrong member is named by its pointer.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Keeping track of the pointer costs more than reading, and hardly any body is wrong.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let pointer = pointer_of(e.path());
        (pointer, e.into_inner())
    });
    match parsed.and_then(|value| json.end().map(|()| value).map_err(|e| (String::new(), e))) {
        Ok(value) => Ok(value),
        // An array with too many entries looks to the parser like bad syntax, so ask again
        // whether it is JSON at all.
        Err((pointer, cause)) => match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
            Ok(_) => Err(refuse_member(pointer, &cause.to_string())),
            Err(e) => Err(Problem::bad_request(
                "malformed_json",
                format!("The body is not JSON: {e}"),
            )),
        },
    }
}

fn refuse_member(pointer: String, cause: &str) -> Problem {
    // serde_json ends its messages with a place in the text, which the pointer says better.
    let detail = match cause.split(" at line ").next().unwrap_or(cause) {
        "trailing characters" => "found more entries than are allowed here",
        detail => detail,
    };
    let mut errors = FieldErrors::default();
    errors.push(pointer.clone(), detail);
    let place = if pointer.is_empty() {
        "The body".to_owned()
    } else {
        pointer
    };
    Problem::unprocessable("invalid_body", format!("{place}: {detail}"), errors)
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape_pointer(key)),
            Segment::Enum { variant } => format!("/{}", escape_pointer(variant)),
            Segment::Unknown => String::new(),
        })
        .collect()
}

fn check_media_type(req: &HttpRequest) -> Result<(), Problem> {
    let found = req
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = found.split(';').next().unwrap_or_default().trim();
    let is_json = essence.eq_ignore_ascii_case("application/json")
        || essence
            .get(..12)
            .is_some_and(|start| start.eq_ignore_ascii_case("application/"))
            && essence.to_ascii_lowercase().ends_with("+json");
    if is_json {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not_json",
        format!("Found Content-Type {found:?}; send application/json."),
    ))
}

/// The query of the address as a value.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pairs = url::form_urlencoded::parse(req.query_string().as_bytes());
        let query = serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs));
        std::future::ready(query.map(Self).map_err(|e| {
            let name = e.path().to_string();
            Problem::bad_request("invalid_query", format!("{name}: {}", e.into_inner()))
        }))
    }
}

/// One named part of the path, parsed. A part that cannot be parsed names nothing: 404.
pub struct PathParam<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for PathParam<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let found = actix_web::web::Path::<T>::from_request(req, payload).into_inner();
        std::future::ready(found.map(|path| Self(path.into_inner())).map_err(|e| {
            Problem::not_found("not_found", format!("The address names nothing: {e}"))
        }))
    }
}
