//! Photos from a column, predictions into columns.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, StructArray, cast::AsArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use planet::{answer_columns, answer_fields};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{arrow::ArrowTable, failure::failed, photos::GivenPhoto, prediction::Prediction};

/// Columns that are taken for that of the photos where no column is named, the first first; those of
/// bytes before those of paths, which then are the photos' names.
const USUAL: [&str; 5] = ["photo", "path", "bytes", "image", "file"];
const NULL: &str = "the photo is missing (null)";

/// Which column holds the photos, and which columns the answer keeps.
pub struct Columns {
    photo: usize,
    kept: Vec<usize>,
    schema: SchemaRef,
}

fn is_photo(kind: &DataType) -> bool {
    is_bytes(kind) || matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_bytes(kind: &DataType) -> bool {
    matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

impl Columns {
    /// Chooses them. Without a name, the photos are the first column with a usual name, of bytes if
    /// there is one, or the only column of paths or bytes. All columns are kept, but not the photos'
    /// bytes.
    pub fn choose(
        schema: &Schema,
        column: Option<&str>,
        keep: Option<&[String]>,
    ) -> PyResult<Self> {
        let photo = photo_column(schema, column)?;
        let index = |name: &String| {
            let unknown = || PyValueError::new_err(format!("keep: there is no column '{name}'"));
            schema.index_of(name).map_err(|_| unknown())
        };
        let kept = match keep {
            Some(names) => names.iter().map(index).collect::<PyResult<Vec<_>>>()?,
            None => (0..schema.fields().len())
                .filter(|at| *at != photo || !is_bytes(schema.field(*at).data_type()))
                .collect(),
        };
        let mut fields: Vec<Arc<Field>> =
            kept.iter().map(|at| Arc::clone(&schema.fields()[*at])).collect();
        for field in answer_fields().iter() {
            if fields.iter().any(|kept| kept.name() == field.name()) {
                let name = field.name();
                return Err(PyValueError::new_err(format!(
                    "the table has a column '{name}' already; rename it, or name the columns to \
                     keep with keep=[...]"
                )));
            }
            fields.push(Arc::clone(field));
        }
        Ok(Self { photo, kept, schema: Arc::new(Schema::new(fields)) })
    }

    /// The schema of the answers.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The photos of a batch; a null is a photo that cannot be used.
    pub fn photos(&self, batch: &RecordBatch) -> PyResult<Vec<GivenPhoto>> {
        let column = batch.column(self.photo);
        let path = |path: Option<&str>| path.map(|it| GivenPhoto::Path(it.to_owned()));
        let bytes = |bytes: Option<&[u8]>| bytes.map(|it| GivenPhoto::Column(it.to_vec()));
        let photos: Vec<Option<GivenPhoto>> = match column.data_type() {
            DataType::Utf8 => column.as_string::<i32>().iter().map(path).collect(),
            DataType::LargeUtf8 => column.as_string::<i64>().iter().map(path).collect(),
            DataType::Utf8View => column.as_string_view().iter().map(path).collect(),
            DataType::Binary => column.as_binary::<i32>().iter().map(bytes).collect(),
            DataType::LargeBinary => column.as_binary::<i64>().iter().map(bytes).collect(),
            DataType::BinaryView => column.as_binary_view().iter().map(bytes).collect(),
            other => return Err(failed(format!("a column of {other} holds no photos"))),
        };
        let missing = || GivenPhoto::Wrong(NULL.to_owned());
        Ok(photos.into_iter().map(|photo| photo.unwrap_or_else(missing)).collect())
    }

    /// A batch with the answers behind the columns that are kept.
    pub fn answered(
        &self,
        batch: &RecordBatch,
        predictions: &[planet::Prediction],
    ) -> PyResult<RecordBatch> {
        let kept = self.kept.iter().map(|at| Arc::clone(batch.column(*at)));
        let columns = kept.chain(answer_columns(predictions)).collect();
        RecordBatch::try_new(self.schema(), columns).map_err(failed)
    }
}

fn photo_column(schema: &Schema, column: Option<&str>) -> PyResult<usize> {
    let kind = |at: usize| schema.field(at).data_type();
    let names = || {
        let names = schema.fields().iter().map(|field| field.name().as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    if let Some(name) = column {
        let Ok(at) = schema.index_of(name) else {
            let what = format!("there is no column '{name}'; the columns are {}", names());
            return Err(PyValueError::new_err(what));
        };
        if !is_photo(kind(at)) {
            let what = format!("the column '{name}' has the type {}, not paths or bytes", kind(at));
            return Err(PyValueError::new_err(what));
        }
        return Ok(at);
    }
    let fitting: Vec<usize> = (0..schema.fields().len()).filter(|at| is_photo(kind(*at))).collect();
    let usual = |of_bytes: bool| {
        let named = |name: &&str, at: &&usize| {
            is_bytes(kind(**at)) == of_bytes && schema.field(**at).name().eq_ignore_ascii_case(name)
        };
        USUAL.iter().find_map(|name| fitting.iter().find(|at| named(name, at)))
    };
    match (usual(true).or_else(|| usual(false)), fitting.as_slice()) {
        (Some(at), _) => Ok(*at),
        (None, [only]) => Ok(*only),
        (None, _) => {
            let what = "which column holds the photos is not clear; name it with column=";
            Err(PyValueError::new_err(format!("{what}; the columns are {}", names())))
        }
    }
}

/// Predictions as a table: `photo` and the columns of `locate_arrow`.
#[pyfunction]
pub fn predictions_to_arrow(predictions: Vec<PyRef<'_, Prediction>>) -> PyResult<ArrowTable> {
    let predictions: Vec<_> = predictions.iter().map(|it| it.0.clone()).collect();
    let photo = Arc::new(Field::new("photo", DataType::Utf8, false));
    let fields: Vec<_> =
        [photo].into_iter().chain(answer_fields().iter().map(Arc::clone)).collect();
    let names: StringArray = predictions.iter().map(|it| Some(it.photo.as_str())).collect();
    let columns = [Arc::new(names) as ArrayRef].into_iter().chain(answer_columns(&predictions));
    let array = StructArray::try_new(fields.into(), columns.collect(), None).map_err(failed)?;
    let batch = RecordBatch::from(array);
    Ok(ArrowTable::new(batch.schema(), vec![batch]))
}
