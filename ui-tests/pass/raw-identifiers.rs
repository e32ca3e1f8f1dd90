use retry_runtime::retry;

#[allow(non_upper_case_globals)]
mod r#type {
    pub const r#match: u32 = 3;
}

#[retry(r#attempts = r#type::r#match, bind = r#try, clone = [r#in])]
async fn r#loop(r#in: String) -> Result<String, String> {
    if r#try.number() == 0 { Err(r#in) } else { Ok(r#in) }
}

fn main() {
    drop(r#loop(String::new()));
}
