/* The summary table, byte for byte against what Keras 3.15 (rich 15) printed on terminals of 80, 120 and 64 columns. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Woverlength-strings" /* tables are longer than ISO C asks compilers to take */
#endif

static const cnnc_layer mnist_layers[] = {
    {"input", "InputLayer", 3, {28, 28, 1}, 0, ""},
    {"conv2d", "Conv2D", 3, {26, 26, 32}, 320, "input"},
    {"max_pooling2d", "MaxPooling2D", 3, {13, 13, 32}, 0, "conv2d"},
    {"conv2d_1", "Conv2D", 3, {11, 11, 64}, 18496, "max_pooling2d"},
    {"max_pooling2d_1", "MaxPooling2D", 3, {5, 5, 64}, 0, "conv2d_1"},
    {"conv2d_2", "Conv2D", 3, {3, 3, 64}, 36928, "max_pooling2d_1"},
    {"flatten", "Flatten", 1, {576}, 0, "conv2d_2"},
    {"dense", "Dense", 1, {64}, 36928, "flatten"},
    {"dense_1", "Dense", 1, {10}, 650, "dense"},
};
static const cnnc_parameter mnist_parameters[] = {{.name = "all", .count = 93322, .trainable = 1}};
static const cnnc_network mnist = {.name = "mnist", .layers = mnist_layers, .layer_count = 9,
                                   .parameters = mnist_parameters, .parameters_length = 1, .output_count = 1};

#define LONG "a_branch_with_a_very_long_name_indeed_it_is_so_long"
static const cnnc_layer residual_layers[] = {
    {"input", "InputLayer", 3, {28, 28, 1}, 0, ""},
    {"a", "Conv2D", 3, {28, 28, 16}, 160, "input"},
    {LONG, "Conv2D", 3, {28, 28, 16}, 2320, "a"},
    {"batch_normalization", "BatchNormalization", 3, {28, 28, 16}, 64, LONG},
    {"add", "Add", 3, {28, 28, 16}, 0, "a, batch_normalization"},
    {"re_lu", "ReLU", 3, {28, 28, 16}, 0, "add"},
    {"gap", "GlobalAveragePooling2D", 1, {16}, 0, "re_lu"},
    {"dense", "Dense", 1, {1000}, 17000, "gap"},
};
static const cnnc_parameter residual_parameters[] = {{.name = "a", .count = 19512, .trainable = 1},
                                                     {.name = "b", .count = 32, .trainable = 0}};
static const cnnc_network residual = {.name = "residual", .layers = residual_layers, .layer_count = 8,
                                      .parameters = residual_parameters, .parameters_length = 2, .output_count = 1};

static const char mnist_80[] =
    "Model: \"mnist\"\n"
    "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
    "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n"
    "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n"
    "│ conv2d (Conv2D)                 │ (None, 26, 26, 32)     │           320 │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ max_pooling2d (MaxPooling2D)    │ (None, 13, 13, 32)     │             0 │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ conv2d_1 (Conv2D)               │ (None, 11, 11, 64)     │        18,496 │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ max_pooling2d_1 (MaxPooling2D)  │ (None, 5, 5, 64)       │             0 │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ conv2d_2 (Conv2D)               │ (None, 3, 3, 64)       │        36,928 │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ flatten (Flatten)               │ (None, 576)            │             0 │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ dense (Dense)                   │ (None, 64)             │        36,928 │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ dense_1 (Dense)                 │ (None, 10)             │           650 │\n"
    "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
    " Total params: 93,322 (364.54 KB)\n"
    " Trainable params: 93,322 (364.54 KB)\n"
    " Non-trainable params: 0 (0.00 B)\n";

static const char mnist_120[] =
    "Model: \"mnist\"\n"
    "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┓\n"
    "┃ Layer (type)                         ┃ Output Shape                ┃         Param # ┃\n"
    "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━┩\n"
    "│ conv2d (Conv2D)                      │ (None, 26, 26, 32)          │             320 │\n"
    "├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤\n"
    "│ max_pooling2d (MaxPooling2D)         │ (None, 13, 13, 32)          │               0 │\n"
    "├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤\n"
    "│ conv2d_1 (Conv2D)                    │ (None, 11, 11, 64)          │          18,496 │\n"
    "├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤\n"
    "│ max_pooling2d_1 (MaxPooling2D)       │ (None, 5, 5, 64)            │               0 │\n"
    "├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤\n"
    "│ conv2d_2 (Conv2D)                    │ (None, 3, 3, 64)            │          36,928 │\n"
    "├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤\n"
    "│ flatten (Flatten)                    │ (None, 576)                 │               0 │\n"
    "├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤\n"
    "│ dense (Dense)                        │ (None, 64)                  │          36,928 │\n"
    "├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤\n"
    "│ dense_1 (Dense)                      │ (None, 10)                  │             650 │\n"
    "└──────────────────────────────────────┴─────────────────────────────┴─────────────────┘\n"
    " Total params: 93,322 (364.54 KB)\n"
    " Trainable params: 93,322 (364.54 KB)\n"
    " Non-trainable params: 0 (0.00 B)\n";

static const char mnist_64[] =
    "Model: \"mnist\"\n"
    "┏━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┓\n"
    "┃ Layer (type)             ┃ Output Shape      ┃   Param # ┃\n"
    "┡━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━┩\n"
    "│ conv2d (Conv2D)          │ (None, 26, 26,    │       320 │\n"
    "│                          │ 32)               │           │\n"
    "├──────────────────────────┼───────────────────┼───────────┤\n"
    "│ max_pooling2d            │ (None, 13, 13,    │         0 │\n"
    "│ (MaxPooling2D)           │ 32)               │           │\n"
    "├──────────────────────────┼───────────────────┼───────────┤\n"
    "│ conv2d_1 (Conv2D)        │ (None, 11, 11,    │    18,496 │\n"
    "│                          │ 64)               │           │\n"
    "├──────────────────────────┼───────────────────┼───────────┤\n"
    "│ max_pooling2d_1          │ (None, 5, 5, 64)  │         0 │\n"
    "│ (MaxPooling2D)           │                   │           │\n"
    "├──────────────────────────┼───────────────────┼───────────┤\n"
    "│ conv2d_2 (Conv2D)        │ (None, 3, 3, 64)  │    36,928 │\n"
    "├──────────────────────────┼───────────────────┼───────────┤\n"
    "│ flatten (Flatten)        │ (None, 576)       │         0 │\n"
    "├──────────────────────────┼───────────────────┼───────────┤\n"
    "│ dense (Dense)            │ (None, 64)        │    36,928 │\n"
    "├──────────────────────────┼───────────────────┼───────────┤\n"
    "│ dense_1 (Dense)          │ (None, 10)        │       650 │\n"
    "└──────────────────────────┴───────────────────┴───────────┘\n"
    " Total params: 93,322 (364.54 KB)\n"
    " Trainable params: 93,322 (364.54 KB)\n"
    " Non-trainable params: 0 (0.00 B)\n";

static const char mnist_color[] =
    "\x1b[1mModel: \"mnist\"\x1b[0m\n"
    "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
    "┃\x1b[1m \x1b[0m\x1b[1mLayer (type)                   \x1b[0m\x1b[1m \x1b[0m┃\x1b[1m \x1b[0m\x1b[1mOutput Shape          \x1b[0m\x1b[1m \x1b[0m┃\x1b[1m \x1b[0m\x1b[1m      Param #\x1b[0m\x1b[1m \x1b[0m┃\n"
    "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n"
    "│ conv2d (\x1b[38;5;33mConv2D\x1b[0m)                 │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m26\x1b[0m, \x1b[38;5;34m26\x1b[0m, \x1b[38;5;34m32\x1b[0m)     │           \x1b[38;5;34m320\x1b[0m │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ max_pooling2d (\x1b[38;5;33mMaxPooling2D\x1b[0m)    │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m13\x1b[0m, \x1b[38;5;34m13\x1b[0m, \x1b[38;5;34m32\x1b[0m)     │             \x1b[38;5;34m0\x1b[0m │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ conv2d_1 (\x1b[38;5;33mConv2D\x1b[0m)               │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m11\x1b[0m, \x1b[38;5;34m11\x1b[0m, \x1b[38;5;34m64\x1b[0m)     │        \x1b[38;5;34m18,496\x1b[0m │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ max_pooling2d_1 (\x1b[38;5;33mMaxPooling2D\x1b[0m)  │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m5\x1b[0m, \x1b[38;5;34m5\x1b[0m, \x1b[38;5;34m64\x1b[0m)       │             \x1b[38;5;34m0\x1b[0m │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ conv2d_2 (\x1b[38;5;33mConv2D\x1b[0m)               │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m3\x1b[0m, \x1b[38;5;34m3\x1b[0m, \x1b[38;5;34m64\x1b[0m)       │        \x1b[38;5;34m36,928\x1b[0m │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ flatten (\x1b[38;5;33mFlatten\x1b[0m)               │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m576\x1b[0m)            │             \x1b[38;5;34m0\x1b[0m │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ dense (\x1b[38;5;33mDense\x1b[0m)                   │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m64\x1b[0m)             │        \x1b[38;5;34m36,928\x1b[0m │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ dense_1 (\x1b[38;5;33mDense\x1b[0m)                 │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m10\x1b[0m)             │           \x1b[38;5;34m650\x1b[0m │\n"
    "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
    "\x1b[1m Total params: \x1b[0m\x1b[38;5;34m93,322\x1b[0m (364.54 KB)\n"
    "\x1b[1m Trainable params: \x1b[0m\x1b[38;5;34m93,322\x1b[0m (364.54 KB)\n"
    "\x1b[1m Non-trainable params: \x1b[0m\x1b[38;5;34m0\x1b[0m (0.00 B)\n";

static const char residual_80[] =
    "Model: \"residual\"\n"
    "┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓\n"
    "┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃ Connected to      ┃\n"
    "┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩\n"
    "│ input (InputLayer)  │ (None, 28, 28, 1) │          0 │ -                 │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ a (Conv2D)          │ (None, 28, 28,    │        160 │ input[0][0]       │\n"
    "│                     │ 16)               │            │                   │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ a_branch_with_a_ve… │ (None, 28, 28,    │      2,320 │ a[0][0]           │\n"
    "│ (Conv2D)            │ 16)               │            │                   │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ batch_normalization │ (None, 28, 28,    │         64 │ a_branch_with_a_… │\n"
    "│ (BatchNormalizatio… │ 16)               │            │                   │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ add (Add)           │ (None, 28, 28,    │          0 │ a[0][0],          │\n"
    "│                     │ 16)               │            │ batch_normalizat… │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ re_lu (ReLU)        │ (None, 28, 28,    │          0 │ add[0][0]         │\n"
    "│                     │ 16)               │            │                   │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ gap                 │ (None, 16)        │          0 │ re_lu[0][0]       │\n"
    "│ (GlobalAveragePool… │                   │            │                   │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ dense (Dense)       │ (None, 1000)      │     17,000 │ gap[0][0]         │\n"
    "└─────────────────────┴───────────────────┴────────────┴───────────────────┘\n"
    " Total params: 19,544 (76.34 KB)\n"
    " Trainable params: 19,512 (76.22 KB)\n"
    " Non-trainable params: 32 (128.00 B)\n";

static const char residual_120[] =
    "Model: \"residual\"\n"
    "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓\n"
    "┃ Layer (type)                  ┃ Output Shape              ┃         Param # ┃ Connected to               ┃\n"
    "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩\n"
    "│ input (InputLayer)            │ (None, 28, 28, 1)         │               0 │ -                          │\n"
    "├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤\n"
    "│ a (Conv2D)                    │ (None, 28, 28, 16)        │             160 │ input[0][0]                │\n"
    "├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤\n"
    "│ a_branch_with_a_very_long_na… │ (None, 28, 28, 16)        │           2,320 │ a[0][0]                    │\n"
    "│ (Conv2D)                      │                           │                 │                            │\n"
    "├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤\n"
    "│ batch_normalization           │ (None, 28, 28, 16)        │              64 │ a_branch_with_a_very_long… │\n"
    "│ (BatchNormalization)          │                           │                 │                            │\n"
    "├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤\n"
    "│ add (Add)                     │ (None, 28, 28, 16)        │               0 │ a[0][0],                   │\n"
    "│                               │                           │                 │ batch_normalization[0][0]  │\n"
    "├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤\n"
    "│ re_lu (ReLU)                  │ (None, 28, 28, 16)        │               0 │ add[0][0]                  │\n"
    "├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤\n"
    "│ gap (GlobalAveragePooling2D)  │ (None, 16)                │               0 │ re_lu[0][0]                │\n"
    "├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤\n"
    "│ dense (Dense)                 │ (None, 1000)              │          17,000 │ gap[0][0]                  │\n"
    "└───────────────────────────────┴───────────────────────────┴─────────────────┴────────────────────────────┘\n"
    " Total params: 19,544 (76.34 KB)\n"
    " Trainable params: 19,512 (76.22 KB)\n"
    " Non-trainable params: 32 (128.00 B)\n";

static const char residual_color[] =
    "\x1b[1mModel: \"residual\"\x1b[0m\n"
    "┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓\n"
    "┃\x1b[1m \x1b[0m\x1b[1mLayer (type)       \x1b[0m\x1b[1m \x1b[0m┃\x1b[1m \x1b[0m\x1b[1mOutput Shape     \x1b[0m\x1b[1m \x1b[0m┃\x1b[1m \x1b[0m\x1b[1m   Param #\x1b[0m\x1b[1m \x1b[0m┃\x1b[1m \x1b[0m\x1b[1mConnected to     \x1b[0m\x1b[1m \x1b[0m┃\n"
    "┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩\n"
    "│ input (\x1b[38;5;33mInputLayer\x1b[0m)  │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m28\x1b[0m, \x1b[38;5;34m28\x1b[0m, \x1b[38;5;34m1\x1b[0m) │          \x1b[38;5;34m0\x1b[0m │ -                 │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ a (\x1b[38;5;33mConv2D\x1b[0m)          │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m28\x1b[0m, \x1b[38;5;34m28\x1b[0m,    │        \x1b[38;5;34m160\x1b[0m │ input[\x1b[38;5;34m0\x1b[0m][\x1b[38;5;34m0\x1b[0m]       │\n"
    "│                     │ \x1b[38;5;34m16\x1b[0m)               │            │                   │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ a_branch_with_a_ve… │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m28\x1b[0m, \x1b[38;5;34m28\x1b[0m,    │      \x1b[38;5;34m2,320\x1b[0m │ a[\x1b[38;5;34m0\x1b[0m][\x1b[38;5;34m0\x1b[0m]           │\n"
    "│ (\x1b[38;5;33mConv2D\x1b[0m)            │ \x1b[38;5;34m16\x1b[0m)               │            │                   │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ batch_normalization │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m28\x1b[0m, \x1b[38;5;34m28\x1b[0m,    │         \x1b[38;5;34m64\x1b[0m │ a_branch_with_a_… │\n"
    "│ (\x1b[38;5;33mBatchNormalizatio…\x1b[0m │ \x1b[38;5;34m16\x1b[0m)               │            │                   │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ add (\x1b[38;5;33mAdd\x1b[0m)           │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m28\x1b[0m, \x1b[38;5;34m28\x1b[0m,    │          \x1b[38;5;34m0\x1b[0m │ a[\x1b[38;5;34m0\x1b[0m][\x1b[38;5;34m0\x1b[0m],          │\n"
    "│                     │ \x1b[38;5;34m16\x1b[0m)               │            │ batch_normalizat… │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ re_lu (\x1b[38;5;33mReLU\x1b[0m)        │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m28\x1b[0m, \x1b[38;5;34m28\x1b[0m,    │          \x1b[38;5;34m0\x1b[0m │ add[\x1b[38;5;34m0\x1b[0m][\x1b[38;5;34m0\x1b[0m]         │\n"
    "│                     │ \x1b[38;5;34m16\x1b[0m)               │            │                   │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ gap                 │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m16\x1b[0m)        │          \x1b[38;5;34m0\x1b[0m │ re_lu[\x1b[38;5;34m0\x1b[0m][\x1b[38;5;34m0\x1b[0m]       │\n"
    "│ (\x1b[38;5;33mGlobalAveragePool…\x1b[0m │                   │            │                   │\n"
    "├─────────────────────┼───────────────────┼────────────┼───────────────────┤\n"
    "│ dense (\x1b[38;5;33mDense\x1b[0m)       │ (\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m1000\x1b[0m)      │     \x1b[38;5;34m17,000\x1b[0m │ gap[\x1b[38;5;34m0\x1b[0m][\x1b[38;5;34m0\x1b[0m]         │\n"
    "└─────────────────────┴───────────────────┴────────────┴───────────────────┘\n"
    "\x1b[1m Total params: \x1b[0m\x1b[38;5;34m19,544\x1b[0m (76.34 KB)\n"
    "\x1b[1m Trainable params: \x1b[0m\x1b[38;5;34m19,512\x1b[0m (76.22 KB)\n"
    "\x1b[1m Non-trainable params: \x1b[0m\x1b[38;5;34m32\x1b[0m (128.00 B)\n";

static void check(const cnnc_network *network, int columns, int color, const char *expected) {
    char *text = NULL;
    size_t size = 0;
    cnnc_error error;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(cnnc_summary(network, out, columns, color, &error), CNNC_OK);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void chains(void **state) {
    (void)state;
    check(&mnist, 80, 0, mnist_80);
    check(&mnist, 120, 0, mnist_120);
    check(&mnist, 64, 0, mnist_64);
    check(&mnist, 80, 1, mnist_color);
}

static void graphs(void **state) {
    (void)state;
    check(&residual, 80, 0, residual_80);
    check(&residual, 120, 0, residual_120);
    check(&residual, 80, 1, residual_color);
}

static void narrow_terminals_and_long_names_do_no_harm(void **state) {
    (void)state;
    char kind[3000];
    memset(kind, 'x', sizeof kind);
    for (size_t i = 7; i < sizeof kind; i += 8)
        kind[i] = ' ';
    kind[sizeof kind - 1] = 0;
    cnnc_layer layers[] = {{kind, kind, CNNC_MAX_RANK, {1, 2, 3, 4, 5, 6, 7, 2147483647}, (size_t)-1, kind}};
    cnnc_network network = {.name = "n", .layers = layers, .layer_count = 1};
    for (int columns = -3; columns < 130; columns++)
        for (int color = 0; color < 2; color++) {
            FILE *out = tmpfile();
            assert_non_null(out);
            assert_int_equal(cnnc_summary(&network, out, columns, color, NULL), CNNC_OK);
            assert_int_equal(cnnc_summary(&residual, out, columns, color, NULL), CNNC_OK);
            fclose(out);
        }
}

static void what_cannot_be_written_fails(void **state) {
    (void)state;
    cnnc_error error;
    FILE *out = fopen(CNNC_SOURCE_DIR "/README.md", "r");
    assert_non_null(out);
    assert_int_equal(cnnc_summary(&residual, out, 80, 0, &error), CNNC_FAILED);
    assert_says(&error, "the summary cannot be written");
    fclose(out);
}

static void the_width_comes_from_the_environment(void **state) {
    (void)state;
    FILE *out = tmpfile();
    assert_non_null(out);
    setenv("COLUMNS", "133", 1);
    assert_int_equal(cnnc_columns(out), 133);
    setenv("COLUMNS", "nonsense", 1);
    assert_int_equal(cnnc_columns(out), 80);
    unsetenv("COLUMNS");
    assert_int_equal(cnnc_columns(out), 80);
    fclose(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains),
        cmocka_unit_test(graphs),
        cmocka_unit_test(narrow_terminals_and_long_names_do_no_harm),
        cmocka_unit_test(what_cannot_be_written_fails),
        cmocka_unit_test(the_width_comes_from_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
