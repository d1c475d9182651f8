package main

import (
	"example.com/pulumi-livekit-sip/sdk/go/livekitsip"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		cfg := config.New(ctx, "")
		diallerPassword := cfg.RequireSecret("diallerPassword")
		_, err := livekitsip.NewSipTrunk(ctx, "hotline", &livekitsip.SipTrunkArgs{
			Type: livekitsip.SipTrunkTypeDid,
			Numbers: pulumi.StringArray{
				pulumi.String("+12025550123"),
			},
			Direction: livekitsip.SipTrunkDirectionInbound,
			Country:   pulumi.String("US"),
		})
		if err != nil {
			return err
		}
		_, err = livekitsip.NewSipTrunk(ctx, "dialler", &livekitsip.SipTrunkArgs{
			Type: livekitsip.SipTrunkTypeDid,
			Numbers: pulumi.StringArray{
				pulumi.String("+12025550123"),
			},
			Direction: livekitsip.SipTrunkDirectionOutbound,
			Address:   pulumi.String("sip.provider.example"),
			Username:  pulumi.String("acme"),
			Password:  diallerPassword,
			Country:   pulumi.String("US"),
		})
		if err != nil {
			return err
		}
		return nil
	})
}
