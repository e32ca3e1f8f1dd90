use retry_runtime::Policy;

fn load(policy: &Policy) -> std::io::Result<u32> {
    policy.run(|_| Ok(1)).cut_off().blocking().call()
}

fn main() {}
