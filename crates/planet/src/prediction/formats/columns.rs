//! Predictions as columns, for Parquet and for other programs' memory.

use std::{
    io::{self, Write},
    sync::Arc,
};

use arrow_array::{
    ArrayRef, Float32Array, Float64Array, Int32Array, ListArray, RecordBatch, StringArray,
    builder::{
        Float32Builder, Float64Builder, Int32Builder, ListBuilder, StringBuilder, StructBuilder,
    },
};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};
use planet_data::table::ParquetTable;
use planet_geo::LatLng;

use super::km;
use crate::{Candidate, Prediction};

/// Rows that are gathered before they are written.
const GATHERED: usize = 1 << 12;

/// A Parquet file of predictions: `photo` and [`answer_fields`].
pub(super) struct ParquetRows<W: Write + Send> {
    table: ParquetTable<W>,
    schema: SchemaRef,
    gathered: Vec<Prediction>,
}

impl<W: Write + Send> ParquetRows<W> {
    pub(super) fn new(writer: W) -> io::Result<Self> {
        let photo = Arc::new(Field::new("photo", DataType::Utf8, false));
        let answer = answer_fields();
        let fields: Vec<_> = [photo].iter().chain(answer.iter()).map(Arc::clone).collect();
        let schema = Arc::new(Schema::new(fields));
        let table = ParquetTable::new(writer, Arc::clone(&schema))?;
        Ok(Self { table, schema, gathered: Vec::with_capacity(GATHERED) })
    }

    pub(super) fn write(&mut self, prediction: &Prediction) -> io::Result<()> {
        self.gathered.push(prediction.clone());
        if self.gathered.len() == GATHERED { self.write_gathered() } else { Ok(()) }
    }

    fn write_gathered(&mut self) -> io::Result<()> {
        let photos = self.gathered.iter().map(|it| Some(it.photo.as_str()));
        let photos = Arc::new(photos.collect::<StringArray>()) as ArrayRef;
        let columns = [photos].into_iter().chain(answer_columns(&self.gathered)).collect();
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        self.gathered.clear();
        self.table.write(&rows.map_err(io::Error::other)?)
    }

    pub(super) fn get_mut(&mut self) -> &mut W {
        self.table.get_mut()
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.write_gathered()?;
        self.table.finish()
    }
}

fn candidate_fields() -> Fields {
    Fields::from(vec![
        Field::new("class", DataType::Int32, true),
        Field::new("cell", DataType::Utf8, true),
        Field::new("lat", DataType::Float64, true),
        Field::new("lng", DataType::Float64, true),
        Field::new("probability", DataType::Float32, true),
    ])
}

/// Columns of a table of answers, a row a photo: the first candidate, what is certain, all
/// candidates, and why there is no answer. Classes are signed integers, as Spark has no others.
pub fn answer_fields() -> Fields {
    let item = Field::new("item", DataType::Struct(candidate_fields()), true);
    Fields::from(vec![
        Field::new("class", DataType::Int32, true),
        Field::new("cell", DataType::Utf8, true),
        Field::new("lat", DataType::Float64, true),
        Field::new("lng", DataType::Float64, true),
        Field::new("probability", DataType::Float32, true),
        Field::new("radius_km", DataType::Float64, true),
        Field::new("place", DataType::Utf8, true),
        Field::new("country_code", DataType::Utf8, true),
        Field::new("certain_level", DataType::Utf8, true),
        Field::new("certain_lat", DataType::Float64, true),
        Field::new("certain_lng", DataType::Float64, true),
        Field::new("certain_probability", DataType::Float32, true),
        Field::new("candidates", DataType::List(Arc::new(item)), true),
        Field::new("error", DataType::Utf8, true),
        Field::new("warning", DataType::Utf8, true),
    ])
}

fn class(candidate: &Candidate) -> Option<i32> {
    candidate.class.and_then(|class| i32::try_from(class.0).ok())
}

/// The columns of [`answer_fields`], a row a prediction. Numbers are those of the other formats.
pub fn answer_columns(predictions: &[Prediction]) -> Vec<ArrayRef> {
    let best = || predictions.iter().map(Prediction::best);
    let certain = || predictions.iter().map(|it| it.certain.as_ref());
    let degrees = |it: Option<LatLng>, of: fn(LatLng) -> f64| it.map(|it| of(it.rounded()));
    let at = |of| {
        let column = best().map(|it| degrees(it.map(|it| it.position), of));
        Arc::new(column.collect::<Float64Array>())
    };
    let certain_at = |of| {
        let column = certain().map(|it| degrees(it.map(|it| it.position), of));
        Arc::new(column.collect::<Float64Array>())
    };
    let text = |column: Vec<Option<String>>| Arc::new(StringArray::from(column)) as ArrayRef;
    let place = |it: &Candidate| it.place.as_ref().map(ToString::to_string);
    let country = |it: &Candidate| it.place.as_ref().map(|it| it.country_code.clone());
    let warning = predictions.iter().map(|it| it.warning.clone());
    let error = predictions.iter().map(|it| it.error.clone());
    vec![
        Arc::new(best().map(|it| it.and_then(class)).collect::<Int32Array>()),
        text(best().map(|it| it.map(|it| it.cell.clone())).collect()),
        at(LatLng::lat),
        at(LatLng::lng),
        Arc::new(best().map(|it| it.and_then(|it| it.probability)).collect::<Float32Array>()),
        Arc::new(best().map(|it| it.map(|it| km(it.radius))).collect::<Float64Array>()),
        text(best().map(|it| it.and_then(place)).collect()),
        text(best().map(|it| it.and_then(country)).collect()),
        text(certain().map(|it| it.map(|it| it.level.name().to_owned())).collect()),
        certain_at(LatLng::lat),
        certain_at(LatLng::lng),
        Arc::new(certain().map(|it| it.map(|it| it.probability)).collect::<Float32Array>()),
        Arc::new(candidate_lists(predictions)),
        text(error.collect()),
        text(warning.collect()),
    ]
}

/// All candidates of each photo; an empty list where there is no answer.
fn candidate_lists(predictions: &[Prediction]) -> ListArray {
    let fields = candidate_fields();
    let mut lists = ListBuilder::new(StructBuilder::from_fields(fields, predictions.len()));
    for prediction in predictions {
        let rows = lists.values();
        for candidate in &prediction.candidates {
            let position = candidate.position.rounded();
            // The builders are those of `candidate_fields`, in its order.
            if let Some(it) = rows.field_builder::<Int32Builder>(0) {
                it.append_option(class(candidate));
            }
            if let Some(it) = rows.field_builder::<StringBuilder>(1) {
                it.append_value(&candidate.cell);
            }
            if let Some(it) = rows.field_builder::<Float64Builder>(2) {
                it.append_value(position.lat());
            }
            if let Some(it) = rows.field_builder::<Float64Builder>(3) {
                it.append_value(position.lng());
            }
            if let Some(it) = rows.field_builder::<Float32Builder>(4) {
                it.append_option(candidate.probability);
            }
            rows.append(true);
        }
        lists.append(true);
    }
    lists.finish()
}
