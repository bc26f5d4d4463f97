//! Tables in and out by the Arrow PyCapsule interface: no copy, and no pyarrow.
//!
//! <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>

use std::{ffi::CStr, ptr::NonNull, sync::Arc};

use arrow_array::{
    Array, RecordBatch, RecordBatchIterator, RecordBatchReader, StructArray,
    ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi},
    ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader},
};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use pyo3::{
    exceptions::{PyAttributeError, PyTypeError, PyValueError},
    prelude::*,
    types::PyCapsule,
};

use crate::failure::failed;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// Record batches that any library of Arrow takes: pyarrow, polars, pandas, DuckDB.
#[pyclass(frozen, module = "planet_geolocation._native")]
pub struct ArrowTable {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl ArrowTable {
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self { schema, batches }
    }
}

#[pymethods]
impl ArrowTable {
    #[getter]
    fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __len__(&self) -> usize {
        self.num_rows()
    }

    fn __repr__(&self) -> String {
        let names = self.column_names().join(", ");
        format!("<ArrowTable of {} rows: {names}>", self.num_rows())
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.schema.as_ref()).map_err(failed)?;
        PyCapsule::new_with_value(py, schema, SCHEMA)
    }

    /// Only of a table that came from one record batch.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // A request for another schema may be left unanswered.
        drop(requested_schema);
        let [batch] = self.batches.as_slice() else {
            let what = "the table has several record batches; use pyarrow.table(table)";
            return Err(PyAttributeError::new_err(what));
        };
        let data = StructArray::from(batch.clone()).into_data();
        let (array, _) = to_ffi(&data).map_err(failed)?;
        Ok((self.__arrow_c_schema__(py)?, PyCapsule::new_with_value(py, array, ARRAY)?))
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let batches: Vec<Result<RecordBatch, ArrowError>> =
            self.batches.iter().cloned().map(Ok).collect();
        let reader = RecordBatchIterator::new(batches, Arc::clone(&self.schema));
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, STREAM)
    }
}

/// The record batches of an object with `__arrow_c_array__` or `__arrow_c_stream__`.
pub fn import(value: &Bound<'_, PyAny>) -> PyResult<(SchemaRef, Vec<RecordBatch>)> {
    if value.hasattr("__arrow_c_array__")? {
        let (schema, array) = value
            .call_method0("__arrow_c_array__")?
            .extract::<(Bound<'_, PyCapsule>, Bound<'_, PyCapsule>)>()?;
        let batch = batch(&schema, &array)?;
        return Ok((batch.schema(), vec![batch]));
    }
    if value.hasattr("__arrow_c_stream__")? {
        let stream = value.call_method0("__arrow_c_stream__")?;
        let reader = stream_reader(stream.cast::<PyCapsule>()?)?;
        let schema = reader.schema();
        let batches = reader.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
        return Ok((schema, batches));
    }
    let kind = value.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "{kind} is no Arrow table; give an object with __arrow_c_array__ or __arrow_c_stream__, \
         such as a pyarrow.RecordBatch or a polars.DataFrame"
    )))
}

fn wrong(error: ArrowError) -> PyErr {
    PyValueError::new_err(format!("the Arrow data cannot be read: {error}"))
}

fn pointer<T>(capsule: &Bound<'_, PyCapsule>, name: &CStr) -> PyResult<NonNull<T>> {
    Ok(capsule.pointer_checked(Some(name))?.cast())
}

fn batch(schema: &Bound<'_, PyCapsule>, array: &Bound<'_, PyCapsule>) -> PyResult<RecordBatch> {
    let (schema, array) = (pointer(schema, SCHEMA)?, pointer(array, ARRAY)?);
    #[expect(unsafe_code, reason = "the C data interface passes pointers")]
    // SAFETY: capsules of these names hold these structures, by the interface. Both are moved out,
    // which leaves structures that are marked as released.
    let data = unsafe {
        let schema = FFI_ArrowSchema::from_raw(schema.as_ptr());
        let array = FFI_ArrowArray::from_raw(array.as_ptr());
        from_ffi(array, &schema).map(|data| (data, Schema::try_from(&schema)))
    };
    let (data, schema) = data.map_err(wrong)?;
    if !matches!(data.data_type(), DataType::Struct(_)) {
        let what = format!("a record batch is needed, not an array of {}", data.data_type());
        return Err(PyTypeError::new_err(what));
    }
    let batch = RecordBatch::from(StructArray::from(data));
    // With the schema's metadata.
    batch.with_schema(Arc::new(schema.map_err(wrong)?)).map_err(wrong)
}

fn stream_reader(capsule: &Bound<'_, PyCapsule>) -> PyResult<RecordBatchStreamReader> {
    let stream: NonNull<FFI_ArrowArrayStream> = pointer(capsule, STREAM)?;
    #[expect(unsafe_code, reason = "the C data interface passes pointers")]
    // SAFETY: as above; the stream is moved out.
    let reader = unsafe { RecordBatchStreamReader::from_raw(stream.as_ptr()) };
    reader.map_err(wrong)
}
