# Keeps libheif (feature heif) from linking encoders and codecs that no photo needs. Named in
# .cargo/config.toml, since the crate libheif-sys has no switch for it; read as a toolchain file,
# it changes nothing else.
foreach(codec X264 X265 KVAZAAR UVG266 VVDEC VVENC AOM_ENCODER SvtEnc RAV1E OpenH264_DECODER
        JPEG_DECODER JPEG_ENCODER OpenJPEG_DECODER OpenJPEG_ENCODER OPENJPH_ENCODER LIBSHARPYUV)
    set(WITH_${codec} OFF CACHE BOOL "not needed to read photos" FORCE)
endforeach()
