"""The files that ONNX Runtime and OpenVINO read, written once beside a transformers directory.

  peers_prepare.py onnx MODEL PIXELS               model.onnx, for any size of batch
  peers_prepare.py onnxruntime-int8 MODEL PIXELS   onnxruntime_int8.onnx: a transformer with dynamic ranges, as nunchi;
                                                   a network of convolutions with calibrated ones (QDQ)
  peers_prepare.py openvino-int8 MODEL PIXELS      openvino_int8.xml: NNCF's post-training quantisation, calibrated

PIXELS is a file of raw float32 [1, 3, SIDE, SIDE]; it gives the size, and with growing noise the pictures for calibration.
"""

import json
import pathlib
import sys

import numpy

CALIBRATION_PICTURES = 8
CONVOLUTIONAL = ("resnet", "mobilenet_v2", "convnext")


def read_pixels(file):
    pixels = numpy.fromfile(file, dtype=numpy.float32)
    side = round((pixels.size / 3) ** 0.5)
    return pixels.reshape(1, 3, side, side)


def calibration(pixels):
    generator = numpy.random.default_rng(0)
    return [pixels + strength * generator.standard_normal(pixels.shape, dtype=numpy.float32)
            for strength in numpy.linspace(0, 1, CALIBRATION_PICTURES, dtype=numpy.float32)]


def is_convolutional(model):
    return json.loads((model / "config.json").read_text())["model_type"] in CONVOLUTIONAL


def export(model, pixels):
    import torch
    import transformers

    network = transformers.AutoModelForImageClassification.from_pretrained(model).eval()

    class LogitsOnly(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, pixel_values):
            return self.network(pixel_values).logits

    torch.onnx.export(LogitsOnly(), (torch.from_numpy(pixels),), model / "model.onnx", input_names=["pixel_values"],
                      output_names=["logits"], dynamic_axes={"pixel_values": {0: "batch"}}, opset_version=17, dynamo=False)


def quantise_for_onnxruntime(model, pixels):
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared, quantised = model / "onnxruntime_prepared.onnx", model / "onnxruntime_int8.onnx"
    quant_pre_process(model / "model.onnx", prepared, skip_symbolic_shape=True)
    if is_convolutional(model):
        quantization.quantize_static(prepared, quantised, Calibration(pixels), per_channel=True,
                                     activation_type=quantization.QuantType.QUInt8)
    else:
        quantization.quantize_dynamic(prepared, quantised, op_types_to_quantize=["MatMul", "Gemm"], per_channel=True)
    prepared.unlink()


class Calibration:
    """What onnxruntime.quantization.CalibrationDataReader asks for."""

    def __init__(self, pixels):
        self.pictures = iter(calibration(pixels))

    def get_next(self):
        picture = next(self.pictures, None)
        return None if picture is None else {"pixel_values": picture}


def quantise_for_openvino(model, pixels):
    import nncf
    import openvino

    network = openvino.Core().read_model(model / "model.onnx")
    kind = None if is_convolutional(model) else nncf.ModelType.TRANSFORMER
    quantised = nncf.quantize(network, nncf.Dataset(calibration(pixels)), model_type=kind, subset_size=CALIBRATION_PICTURES)
    openvino.save_model(quantised, model / "openvino_int8.xml", compress_to_fp16=False)


STEPS = {"onnx": export, "onnxruntime-int8": quantise_for_onnxruntime, "openvino-int8": quantise_for_openvino}

if __name__ == "__main__":
    STEPS[sys.argv[1]](pathlib.Path(sys.argv[2]), read_pixels(sys.argv[3]))
