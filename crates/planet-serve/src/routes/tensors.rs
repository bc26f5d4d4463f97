//! Tensors of the Open Inference Protocol, in JSON and in binary form.

use axum::body::Bytes;
use base64::{Engine, prelude::BASE64_STANDARD as STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::ApiError;

/// A request: JSON, and behind it the binary tensors.
#[derive(Deserialize)]
struct Json {
    id: Option<String>,
    #[serde(default)]
    parameters: Map<String, Value>,
    inputs: Vec<JsonInput>,
    #[serde(default)]
    outputs: Vec<JsonOutput>,
}

#[derive(Deserialize)]
struct JsonInput {
    name: String,
    datatype: String,
    shape: Vec<i64>,
    #[serde(default)]
    parameters: Map<String, Value>,
    data: Option<Value>,
}

#[derive(Deserialize)]
struct JsonOutput {
    name: String,
    #[serde(default)]
    parameters: Map<String, Value>,
}

/// A request that was read.
pub(super) struct Inference {
    pub id: Option<String>,
    pub inputs: Vec<Tensor>,
    outputs: Vec<JsonOutput>,
    /// Whether outputs are binary where they do not say.
    binary: bool,
}

/// A tensor with its name.
pub(super) struct Tensor {
    pub name: String,
    shape: Vec<usize>,
    data: Data,
}

enum Data {
    F32(Vec<f32>),
    Bytes(Vec<Bytes>),
}

/// Reads a body whose first `json` bytes are JSON, all where it is `None`.
///
/// # Errors
/// A body that is not as the protocol says.
pub(super) fn read(body: &Bytes, json: Option<usize>) -> Result<Inference, ApiError> {
    let json = json.unwrap_or(body.len());
    if json > body.len() {
        return Err(ApiError::bad_request("the JSON is longer than the body"));
    }
    let request: Json = serde_json::from_slice(&body[..json]).map_err(ApiError::bad_request)?;
    let mut rest = body.slice(json..);
    let inputs = request.inputs.into_iter().map(|input| input.read(&mut rest));
    let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    if !rest.is_empty() {
        return Err(ApiError::bad_request(format!("{} bytes belong to no input", rest.len())));
    }
    let binary = is_set(&request.parameters, "binary_data_output");
    Ok(Inference { id: request.id, inputs, outputs: request.outputs, binary })
}

fn is_set(parameters: &Map<String, Value>, name: &str) -> bool {
    parameters.get(name).and_then(Value::as_bool).unwrap_or(false)
}

impl Inference {
    /// The outputs that are wanted, and whether each is wanted in binary form; all where none is
    /// named.
    ///
    /// # Errors
    /// A name that is no output's.
    pub(super) fn outputs(
        &self,
        all: &[(&'static str, usize)],
    ) -> Result<Vec<(&'static str, bool)>, ApiError> {
        if self.outputs.is_empty() {
            return Ok(all.iter().map(|(name, _)| (*name, self.binary)).collect());
        }
        let find = |output: &JsonOutput| {
            let name = all.iter().map(|it| it.0).find(|name| *name == output.name);
            let binary = output.parameters.get("binary_data").and_then(Value::as_bool);
            let none =
                || ApiError::bad_request(format!("there is no output named '{}'", output.name));
            Ok((name.ok_or_else(none)?, binary.unwrap_or(self.binary)))
        };
        self.outputs.iter().map(find).collect()
    }
}

impl JsonInput {
    fn read(self, rest: &mut Bytes) -> Result<Tensor, ApiError> {
        let bad = |what: &str| ApiError::bad_request(format!("input {}: {what}", self.name));
        let shape: Option<Vec<usize>> =
            self.shape.iter().map(|length| usize::try_from(*length).ok()).collect();
        let shape = shape.ok_or_else(|| bad("a length is negative"))?;
        let values = shape.iter().try_fold(1usize, |all, length| all.checked_mul(*length));
        let values = values.ok_or_else(|| bad("the shape is too large"))?;
        let size = self.parameters.get("binary_data_size");
        let data = match (size, &self.data) {
            (Some(size), None) => {
                let size = size.as_u64().and_then(|size| usize::try_from(size).ok());
                let size = size.filter(|size| *size <= rest.len());
                let size = size.ok_or_else(|| bad("binary_data_size is beyond the body"))?;
                let binary = rest.split_to(size);
                match self.datatype.as_str() {
                    "FP32" => Data::F32(floats(&binary).ok_or_else(|| bad("not whole values"))?),
                    "BYTES" => {
                        Data::Bytes(elements(binary).ok_or_else(|| bad("not whole elements"))?)
                    }
                    other => return Err(bad(&format!("the datatype {other} is not supported"))),
                }
            }
            (None, Some(data)) => {
                let mut flat = Vec::new();
                flatten(data, &mut flat);
                match self.datatype.as_str() {
                    "FP32" => {
                        let all: Option<Vec<f32>> =
                            flat.iter().map(|it| it.as_f64().map(|it| it as f32)).collect();
                        Data::F32(all.ok_or_else(|| bad("a value is no number"))?)
                    }
                    "BYTES" => {
                        let all: Option<Vec<Bytes>> = flat
                            .iter()
                            .map(|it| Some(STANDARD.decode(it.as_str()?).ok()?.into()))
                            .collect();
                        Data::Bytes(all.ok_or_else(|| bad("an element is not base64"))?)
                    }
                    other => return Err(bad(&format!("the datatype {other} is not supported"))),
                }
            }
            _ => return Err(bad("give data or binary_data_size")),
        };
        let found = match &data {
            Data::F32(data) => data.len(),
            Data::Bytes(data) => data.len(),
        };
        if found != values {
            return Err(bad(&format!("the shape has {values} values, the data {found}")));
        }
        Ok(Tensor { name: self.name, shape, data })
    }
}

/// Numbers and texts of nested lists, in order.
fn flatten<'a>(value: &'a Value, into: &mut Vec<&'a Value>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| flatten(value, into)),
        value => into.push(value),
    }
}

fn floats(bytes: &[u8]) -> Option<Vec<f32>> {
    let (values, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| values.iter().map(|it| f32::from_le_bytes(*it)).collect())
}

/// Elements of BYTES, each behind its length in four bytes, little endian.
fn elements(mut bytes: Bytes) -> Option<Vec<Bytes>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let length: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
        let length = u32::from_le_bytes(length) as usize;
        if bytes.len() - 4 < length {
            return None;
        }
        let mut element = bytes.split_to(4 + length);
        all.push(element.split_off(4));
    }
    Some(all)
}

/// What stands behind the JSON of an answer.
#[derive(Default)]
pub(super) struct BinaryParts(Vec<u8>);

impl BinaryParts {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Tensor {
    /// Values of so many photos.
    pub(super) fn of_f32(name: &str, photos: usize, values: Vec<f32>) -> Self {
        let shape = vec![photos, values.len() / photos.max(1)];
        Self { name: name.to_owned(), shape, data: Data::F32(values) }
    }

    /// The values of a tensor whose shape is this for each photo.
    pub(super) fn f32(&self, each: &[usize]) -> Result<&[f32], ApiError> {
        match &self.data {
            Data::F32(values) if self.shape.len() == 1 + each.len() && self.shape[1..] == *each => {
                Ok(values)
            }
            Data::F32(_) => {
                let what = format!("input {}: the shape must be [photos, {each:?}]", self.name);
                Err(ApiError::bad_request(what))
            }
            Data::Bytes(_) => {
                Err(ApiError::bad_request(format!("input {} must be FP32", self.name)))
            }
        }
    }

    /// The elements of a tensor of encoded photos.
    pub(super) fn bytes(&self) -> Result<Vec<Bytes>, ApiError> {
        match &self.data {
            Data::Bytes(elements) => Ok(elements.clone()),
            Data::F32(_) => {
                Err(ApiError::bad_request(format!("input {} must be BYTES", self.name)))
            }
        }
    }

    /// As an output: in binary form its values go behind the JSON.
    pub(super) fn to_json(&self, binary: bool, parts: &mut BinaryParts) -> Value {
        let mut output = json!({ "name": self.name, "shape": self.shape });
        match &self.data {
            Data::F32(values) => {
                output["datatype"] = "FP32".into();
                if binary {
                    let bytes = values.iter().flat_map(|it| it.to_le_bytes());
                    parts.0.extend(bytes);
                    output["parameters"] = json!({ "binary_data_size": 4 * values.len() });
                } else {
                    output["data"] = json!(values);
                }
            }
            Data::Bytes(_) => output["datatype"] = "BYTES".into(),
        }
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(json: &str, binary: &[u8]) -> Result<Inference, ApiError> {
        read(&Bytes::from([json.as_bytes(), binary].concat()), Some(json.len()))
    }

    #[test]
    fn json_and_binary_tensors_are_read_alike() {
        let json =
            r#"{"inputs":[{"name":"pixels","datatype":"FP32","shape":[1,2],"data":[[1.5,-2]]}]}"#;
        let tensor = request(json, &[]).expect("a request").inputs.remove(0);
        assert_eq!(tensor.f32(&[2]).expect("values"), [1.5, -2.0]);
        let json = r#"{"inputs":[{"name":"pixels","datatype":"FP32","shape":[1,2],
            "parameters":{"binary_data_size":8}}]}"#;
        let binary = [1.5f32, -2.0].map(f32::to_le_bytes).concat();
        let tensor = request(json, &binary).expect("a request").inputs.remove(0);
        assert_eq!(tensor.f32(&[2]).expect("values"), [1.5, -2.0]);
        assert!(tensor.f32(&[3]).is_err());
    }

    #[test]
    fn photos_are_elements_behind_their_length_or_base64() {
        let json = r#"{"inputs":[{"name":"photo","datatype":"BYTES","shape":[2],
            "parameters":{"binary_data_size":13}}]}"#;
        let binary = b"\x02\0\0\0ab\x03\0\0\0cde";
        let tensor = request(json, binary).expect("a request").inputs.remove(0);
        assert_eq!(tensor.bytes().expect("elements"), [&b"ab"[..], b"cde"]);
        let json = r#"{"inputs":[{"name":"photo","datatype":"BYTES","shape":[2],"data":["YWI=","Y2Rl"]}]}"#;
        let tensor = request(json, &[]).expect("a request").inputs.remove(0);
        assert_eq!(tensor.bytes().expect("elements"), [&b"ab"[..], b"cde"]);
    }

    #[test]
    fn wrong_tensors_are_refused() {
        let wrong: [(&str, &[u8]); 8] = [
            (r#"{"inputs":[{"name":"p","datatype":"FP32","shape":[2],"data":[1]}]}"#, b""),
            (r#"{"inputs":[{"name":"p","datatype":"FP32","shape":[-1],"data":[1]}]}"#, b""),
            (r#"{"inputs":[{"name":"p","datatype":"FP32","shape":[1],"data":["a"]}]}"#, b""),
            (r#"{"inputs":[{"name":"p","datatype":"INT9","shape":[1],"data":[1]}]}"#, b""),
            (r#"{"inputs":[{"name":"p","datatype":"FP32","shape":[1]}]}"#, b""),
            (r#"{"inputs":[]}"#, b"rest"),
            (
                r#"{"inputs":[{"name":"p","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":5}}]}"#,
                b"\xff\xff\xff\xffa",
            ),
            (
                r#"{"inputs":[{"name":"p","datatype":"FP32","shape":[9223372036854775807,4],"data":[]}]}"#,
                b"",
            ),
        ];
        for (json, binary) in wrong {
            assert!(request(json, binary).is_err(), "{json}");
        }
    }
}
