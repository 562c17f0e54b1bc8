// What augmentation makes of pictures, for tools/check_augment.py. Reads jobs from the standard input until its end: a
// line "OPERATION WIDTH HEIGHT CHANNELS NUMBER..." and the bytes of a picture; answers each with a line "WIDTH HEIGHT
// CHANNELS" and the bytes of the result. The operation "normalize" answers with 32-bit reals, one plane a channel.
#include <cstring>
#include <iostream>
#include <sstream>

#include "data/augment_call.h"

using namespace nunchi;
using namespace nunchi::data;

namespace {

void answer(const image::Picture& result) {
  std::cout << result.width << ' ' << result.height << ' ' << result.channels << '\n';
  std::cout.write(reinterpret_cast<const char*>(result.pixels.data()),
                  static_cast<std::streamsize>(result.pixels.size()));
}

// Numbers: three means, three deviations.
void answer_normalized(const Numbers& numbers, const image::Picture& picture) {
  const Augmentation augmentation({.size = {picture.height, picture.width},
                                   .channels = picture.channels,
                                   .mean = {numbers.at(0), numbers.at(1), numbers.at(2)},
                                   .std = {numbers.at(3), numbers.at(4), numbers.at(5)}});
  Random random(0, 0, 0);
  std::vector<float> out(picture.pixels.size());
  augmentation.apply(picture, random, out);
  std::cout << picture.width << ' ' << picture.height << ' ' << picture.channels << '\n';
  std::cout.write(reinterpret_cast<const char*>(out.data()), static_cast<std::streamsize>(4 * out.size()));
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string operation;
    int width = 0, height = 0, channels = 0;
    words >> operation >> width >> height >> channels;
    Numbers numbers;
    for (double number = 0; words >> number;) numbers.push_back(number);
    image::Picture picture = image::make_picture(width, height, channels);
    std::cin.read(reinterpret_cast<char*>(picture.pixels.data()), static_cast<std::streamsize>(picture.pixels.size()));
    if (operation == "normalize") {
      answer_normalized(numbers, picture);
    } else {
      answer(call_operation(operation, numbers, picture));
    }
  }
}
