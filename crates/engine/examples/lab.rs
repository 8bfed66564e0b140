//! lab
use std::sync::Arc;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let engine = engine::Engine {
        cache: args.get(3).map(|it| Arc::new(cache::Cache::open(it.into(), 1 << 30))),
    };
    let request = engine::Request {
        subject: args[1].clone(),
        platform: None,
        reference: None,
        settings: Arc::new(image::Settings::default()),
        progress: Arc::new(image::Silent),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match runtime.block_on(engine.inventory(&request)) {
        Ok(it) => {
            let f = format::ALL.iter().find(|f| f.id() == args[2]).unwrap();
            print!("{}", f.write(&it.inventory, &format::Options::default()));
            eprintln!("{:?}", it.origin)
        }
        Err(e) => eprintln!("error: {e}\nhint: {:?}", e.hint()),
    }
}
