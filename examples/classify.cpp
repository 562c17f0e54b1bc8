// classify MODEL PICTURE: the most probable class, with the installed library.
#include <nunchi/nunchi.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: classify MODEL PICTURE\n");
    return 2;
  }
  try {
    const nunchi::Model model(argv[1]);
    for (const auto& answer : model.classify(argv[2], 3)) {
      std::printf("%s %.4f\n", answer.label.c_str(), answer.probability);
    }
  } catch (const nunchi::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
