import Glibc

/// How much longer everything takes than on a machine of its own without a sanitizer.
///
/// Deadlines of tests are multiplied by it.
package let slowness: Double = {
  let handle = dlopen(nil, RTLD_LAZY)
  defer { if let handle { dlclose(handle) } }
  let isSanitized = ["__tsan_init", "__asan_init"].contains { (name: String) in
    dlsym(handle, name) != nil
  }
  return isSanitized ? 10 : 1
}()
