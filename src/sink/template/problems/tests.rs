use super::*;

fn problems(table: &Table, suffix: &str) -> String {
    let settings = TemplateSettings::example(suffix);
    let problems = problems_with(table, &settings);
    assert_eq!(fitting_schema(table.clone(), &settings).err(), (!problems.is_empty()).then(|| Mismatch(problems.clone())));
    Mismatch(problems).to_string()
}

#[test]
fn a_table_of_the_shipped_schema_fits() {
    let table = Table::planned(Schema::shipped());
    assert_eq!(problems(&table, "_{user_id}_{date}"), "");
    assert_eq!(fitting_schema(table, &TemplateSettings::example("")), Ok(Schema::shipped()));
}

#[test]
fn a_view_does_not_fit() {
    let view = Table { kind: "VIEW".to_owned(), ..Table::planned(Schema::shipped()) };
    let problems = problems(&view, "");
    assert!(problems.starts_with("pixel is of type VIEW"), "{problems}");
}

#[test]
fn a_partitioned_table_fits_if_no_tables_are_generated_from_it() {
    let table = Table { is_partitioned: true, ..Table::planned(Schema::shipped()) };
    assert_eq!(problems(&table, ""), "");
    let problems = problems(&table, "_{date}");
    assert!(problems.starts_with("pixel is partitioned"), "{problems}");
}

#[test]
fn a_table_without_columns_does_not_fit() {
    let table = Table { schema: None, ..Table::planned(Schema::shipped()) };
    let problems = problems(&table, "");
    assert!(problems.starts_with("pixel has no columns"), "{problems}");
}
