@main struct Keyreg { static func main() {} }
